/// Where an execution stands.
public enum ExecutionStatus: String, Sendable, CaseIterable {
    case queued
    case running
    /// The program ended by itself, whatever its exit code.
    case completed
    /// A compile error, a signal, a limit, or the service lost it.
    case failed
    case timeout
    case cancelled

    /// Whether it never changes again.
    public var isFinal: Bool { self != .queued && self != .running }
}
