public import IsolationProtocol
public import SoulBoxModel

/// How an execution ended, ready to be stored and told.
public struct ExecutionResult: Sendable {
    /// Everything that is shown of it; its status is final.
    public var record: ExecutionRecord

    /// The files that it made or changed, with the bytes that are kept.
    public var artifacts: [Artifact]

    /// Why the isolation service did not carry it out; nil when it ran.
    public var refusal: IsolationError?

    /// Makes a result.
    public init(record: ExecutionRecord, artifacts: [Artifact] = [], refusal: IsolationError? = nil) {
        self.record = record
        self.artifacts = artifacts
        self.refusal = refusal
    }
}
