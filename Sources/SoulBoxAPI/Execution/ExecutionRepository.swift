public import SoulBoxModel
public import SoulBoxStore

/// What the routes need of the database; `ExecutionStore` is it, tests put another in its place.
///
/// Every call throws when the database cannot be reached.
public protocol ExecutionRepository: Sendable {
    /// Admits a request that needs nothing else of the database.
    func admit(_ ticket: Ticket) throws -> Admission

    /// Admits a request to execute and notes the execution, both or neither.
    func admit(_ ticket: Ticket, new execution: NewExecution) throws -> Admission

    /// Admits a request and reads an execution of the account that it is for.
    func find(_ id: String, _ ticket: Ticket) throws -> (admission: Admission, record: ExecutionRecord?)

    /// Executions of that account, the newest first.
    func list(account: [UInt8], filter: ExecutionFilter, page: Page) throws -> Listing<ExecutionRecord>

    /// Forgets what an Idempotency-Key stands for, so that the request can be tried again.
    func forget(_ idempotency: Idempotency, account: [UInt8]) throws

    /// Takes back an execution that was noted while the answer to its admission was lost.
    func abandon(_ id: String, process: [UInt8]) throws

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
