public import SoulBoxModel
public import SoulBoxStore

/// What the routes need of the database; `ExecutionStore` is it, tests put another in its place.
///
/// Every call throws when the database cannot be reached.
public protocol ExecutionRepository: Sendable {
    /// Checks a credential; nil needs no permission beyond being good.
    func authenticate(_ credential: Credential, needs permission: Permission?) throws -> Admission

    /// Checks a credential and notes a new execution, both or neither.
    func admit(_ credential: Credential, new execution: NewExecution) throws -> Admission

    /// Notes that the program began; false when the execution was cancelled or lost before.
    func markRunning(_ id: String, process: [UInt8]) throws -> Bool

    /// Notes the end; false when another end was noted before.
    func finish(_ id: String, _ execution: FinishedExecution) throws -> Bool

    /// An execution of that account.
    func find(_ id: String, account: [UInt8]) throws -> ExecutionRecord?

    /// A file that an execution of that account left behind.
    func artifact(execution: String, account: [UInt8], path: String) throws -> Artifact?

    /// Cancels an execution that waits, and tells how another stands.
    func requestCancel(_ id: String, account: [UInt8]) throws -> CancelResult
}
