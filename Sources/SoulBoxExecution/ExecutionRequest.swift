public import SoulBoxModel

/// One execution to be carried out.
public struct ExecutionRequest: Sendable {
    /// Its identifier.
    public var id: String

    /// The account it belongs to, as the isolation service is told.
    public var account: String

    /// The request that it came with, for the logs; nil when nobody waits for it.
    public var requestID: String?

    /// What to execute.
    public var spec: ExecutionSpec

    /// When it was asked for.
    public var createdAt: Timestamp

    /// A connection whose hang-up cancels the execution: that of the client who waits. Nil when nobody does.
    public var clientDescriptor: CInt?

    /// Who follows it while it runs; nil when its result is all that is wanted.
    public var live: LiveExecution?

    /// What to run in place of the template's program, in a persistent sandbox; empty runs that program.
    public var command: [String] = []

    /// Makes a request.
    public init(
        id: String, account: String, requestID: String? = nil, spec: ExecutionSpec, createdAt: Timestamp,
        clientDescriptor: CInt? = nil, live: LiveExecution? = nil
    ) {
        self.id = id
        self.account = account
        self.requestID = requestID
        self.spec = spec
        self.createdAt = createdAt
        self.clientDescriptor = clientDescriptor
        self.live = live
    }
}
