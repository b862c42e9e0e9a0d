/// Why an image was not built, found or removed, and what to do about it.
public struct ImageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What failed.
    public let message: String

    /// What the operator can do; empty where the message says it.
    public let advice: String

    /// Makes an error.
    public init(_ message: String, advice: String = "") {
        self.message = message
        self.advice = advice
    }

    /// Message and advice, for a terminal.
    public var description: String { advice.isEmpty ? message : "\(message)\n\(advice)" }
}
