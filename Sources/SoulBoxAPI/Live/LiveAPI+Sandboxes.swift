public import IsolationProtocol
public import SoulBoxExecution
public import SoulBoxModel
public import SoulBoxStore

/// What runs in persistent sandboxes for a live connection.
extension LiveAPI {
    /// The longest that a terminal is open, in milliseconds: what the isolation service lets one program run.
    private static let terminalMilliseconds = 3_600_000

    /// A login shell: bash where there is one.
    private static let shell = ["/bin/sh", "-c", "command -v bash > /dev/null && exec bash -l; exec sh -l"]

    /// Finds out whether a sandbox is the caller's and runs.
    ///
    /// - Throws: 404 or 409.
    public func checkSandbox(_ id: String, _ caller: Caller) throws(APIError) {
        _ = try files.sandbox(id, caller)
    }

    /// An interactive shell that is to be opened.
    public struct Shell: Sendable {
        var request: ExecutionRequest
        let sandbox: AccountSandbox

        /// What it is called.
        public var id: String { request.id }
        /// The account that it belongs to.
        public let account: [UInt8]
    }

    /// Prepares a shell in a sandbox, counted as an execution and noted in the audit log.
    public func beginShell(in id: String, _ call: LiveCall) throws(APIError) -> Shell {
        let route = route(call, .permission(.execute), .execution)
        let caller = try executions.gate.admit(route)
        let sandbox = try files.sandbox(id, caller)
        let platform = files.sandboxes.platform
        try platform.gate.query { try platform.audit.note(platform.auditEntry(route.request, status: 101)) }
        var limits = ExecutionLimits()
        limits.timeoutMilliseconds = LiveAPI.terminalMilliseconds
        limits.memoryBytes = sandbox.memoryBytes
        limits.cpuMillicores = sandbox.cpuMillicores
        limits.processes = sandbox.processes
        let spec = ExecutionSpec(
            sandbox: sandbox.identifier, runtime: sandbox.runtime, template: sandbox.image,
            environment: sandbox.environment, limits: limits)
        var request = ExecutionRequest(
            id: Identifier.make(.execution), account: sandbox.account, requestID: call.requestID, spec: spec,
            createdAt: .now)
        request.command = LiveAPI.shell
        return Shell(request: request, sandbox: sandbox, account: caller.accountID)
    }

    /// Keeps the thread until the shell has ended. It leaves no record.
    public func run(_ shell: Shell, live: LiveExecution) -> LiveEnd {
        var request = shell.request
        request.live = live
        let result = executions.runner.run(request) { true }
        try? files.sandboxes.store.touch(shell.sandbox.id)
        if let refusal = result.refusal { return .failed(.isolation(refusal)) }
        return .finished(result.record)
    }

    /// Follows the output of a background process, keeping the thread.
    ///
    /// - Parameters:
    ///   - admit: Whether there is a place for the caller, who was let in.
    ///   - send: Takes a piece of the answer; false ends it.
    /// - Throws: What `GET …/logs` would answer; 429 without a place.
    public func followLogs(
        of process: String, in sandbox: String, _ call: LiveCall, admit: (Caller) -> Bool,
        send: @escaping ([UInt8]) -> Bool
    ) throws(APIError) {
        struct Gone: Error {}
        var route = route(call, .permission(.sandboxRead), .standard)
        route.parameters = ["sandbox_id": sandbox, "pid": process]
        let response = try { () throws(APIError) in
            defer { call.note.set(route.request.context) }
            return try ProcessRoutes(service: files).logs(route)
        }()
        if let caller = route.request.context.caller, !admit(caller) { throw .tooManyConnections }
        guard let stream = response.stream else {
            _ = send(response.body)
            return
        }
        // A stream that breaks ends without its last line, which is how its client knows.
        try? stream.write { bytes throws in
            guard send(bytes) else { throw Gone() }
        }
    }

    /// How the isolation service stands.
    public func status() throws(APIError) -> IsolatorStatus {
        do {
            return try files.sandboxes.keeper.connections.status(timeoutMilliseconds: 500)
        } catch {
            throw .unavailable
        }
    }
}
