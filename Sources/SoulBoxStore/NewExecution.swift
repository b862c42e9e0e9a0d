public import SoulBoxModel

/// An execution to be noted.
public struct NewExecution: Sendable {
    /// Its identifier, as `exec_…`.
    public var id: String
    /// What to run.
    public var spec: ExecutionSpec
    /// When it was asked for.
    public var createdAt: Timestamp
    /// The process that carries it out; nil leaves it to a scheduler.
    public var owner: [UInt8]?
    /// The path of the request, for the audit log.
    public var path: String
    /// What makes a repeated request known, if the client wants that.
    public var idempotency: Idempotency?

    /// Makes a new execution.
    public init(
        id: String, spec: ExecutionSpec, createdAt: Timestamp, owner: [UInt8]?, path: String = "/api/execute",
        idempotency: Idempotency? = nil
    ) {
        self.path = path
        self.id = id
        self.idempotency = idempotency
        self.spec = spec
        self.createdAt = createdAt
        self.owner = owner
    }
}

/// An execution that has ended, with the files that it left.
public struct FinishedExecution: Sendable {
    /// How it ended.
    public var record: ExecutionRecord
    /// The files, those that are kept with their bytes.
    public var artifacts: [Artifact]

    /// Makes a finished execution.
    public init(record: ExecutionRecord, artifacts: [Artifact]) {
        self.record = record
        self.artifacts = artifacts
    }
}

/// An execution that a scheduler has taken.
public struct QueuedExecution: Sendable {
    /// Its identifier, as `exec_…`.
    public var id: String
    /// The account that it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// What to run.
    public var spec: ExecutionSpec
    /// When it was asked for.
    public var createdAt: Timestamp
}

/// How an execution stood when it was to be cancelled.
public enum CancelResult: Sendable, Equatable {
    /// It had not begun, and never will.
    case cancelledBeforeStart
    /// It runs, in the hands of that process.
    case running(owner: [UInt8]?)
    /// It has ended.
    case finished(ExecutionStatus)
    case notFound
}
