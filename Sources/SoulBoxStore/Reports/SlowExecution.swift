public import SoulBoxModel

/// An execution that ran long, as reports keep it when the execution itself is gone.
public struct SlowExecution: Sendable, Equatable {
    /// Its identifier, as `exec_…`.
    public var id: String
    /// The language.
    public var language: String
    /// How it ended.
    public var status: String
    /// Why it ended so; nil when nothing is known.
    public var reason: String?
    /// How long its program ran, in microseconds.
    public var wallMicroseconds: Int64
    /// The key that asked for it, 16 bytes.
    public var key: [UInt8]?
    /// The sandbox that it ran in, 16 bytes; nil for one of its own.
    public var sandbox: [UInt8]?
    /// When it was asked for.
    public var createdAt: Timestamp
    /// When it ended.
    public var completedAt: Timestamp
    /// Whether the execution itself is still kept.
    public var isKept: Bool
}
