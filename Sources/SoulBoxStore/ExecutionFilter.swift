public import SoulBoxModel

/// Which executions a list shows.
public struct ExecutionFilter: Sendable, Equatable {
    /// Only those that stand so.
    public var status: ExecutionStatus?
    /// Only those in that language.
    public var runtime: Runtime?
    /// Only those in that sandbox, 16 bytes.
    public var sandbox: [UInt8]?
    /// Only those made then or later.
    public var since: Timestamp?
    /// Only those made before then.
    public var until: Timestamp?

    /// Shows all.
    public init() {}
}
