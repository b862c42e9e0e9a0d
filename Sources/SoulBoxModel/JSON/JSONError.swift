/// Why a text is not JSON.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in words that may be shown to a client; holds nothing of the text itself.
    public let reason: String

    /// Where, as a byte offset from the start.
    public let offset: Int

    /// Makes an error.
    public init(reason: String, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// Reason and place.
    public var description: String { "\(reason) at byte \(offset)" }
}
