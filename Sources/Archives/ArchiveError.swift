/// An archive that cannot be used.
public struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with it, for people.
    public let reason: String

    /// Makes an error.
    public init(_ reason: String) { self.reason = reason }

    /// The reason.
    public var description: String { reason }
}
