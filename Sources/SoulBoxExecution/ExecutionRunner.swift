public import IsolationProtocol
internal import LinuxKernel
public import Logging
internal import SoulBoxModel

/// Carries executions out: hands each to the isolation service and gathers what it prints and leaves behind.
///
/// Shared by all threads; each call of `run(_:started:)` keeps its thread until the execution has ended.
public struct ExecutionRunner: Sendable {
    /// The limits that are the same for all executions.
    public struct Limits: Sendable, Equatable {
        /// Output kept and put up with.
        public var output: OutputLimits
        /// Files kept.
        public var artifacts: ExecuteCall.ArtifactLimits

        /// Makes limits; the defaults are those of the API.
        public init(output: OutputLimits = .init(), artifacts: ExecuteCall.ArtifactLimits = .init()) {
            self.output = output
            self.artifacts = artifacts
        }
    }

    /// The connections that executions run on.
    public let connections: IsolatorConnections

    /// The templates that can be used.
    public let catalog: TemplateCatalog

    private let limits: Limits
    private let log: Logger

    /// Makes a runner.
    public init(connections: IsolatorConnections, catalog: TemplateCatalog, limits: Limits = .init(), log: Logger) {
        self.connections = connections
        self.catalog = catalog
        self.limits = limits
        self.log = log
    }

    /// Carries one execution out and waits for its end.
    ///
    /// Never throws: whatever goes wrong is how the execution ended.
    ///
    /// - Parameter started: Called once, soon after the program or its compiler began; false ends the execution as
    ///   cancelled, because somebody did so while it waited. Not called for one that is over within a moment.
    public func run(_ request: ExecutionRequest, started: () -> Bool) -> ExecutionResult {
        do {
            let running = try start(request)
            let result = running.waitForEnd(started: started)
            if let refusal = result.refusal { note(refusal, request) }
            return result
        } catch {
            note(error, request)
            return ExecutionRunner.refused(request, error)
        }
    }

    private func start(_ request: ExecutionRequest) throws(IsolationError) -> RunningExecution {
        let spec = request.spec
        guard let template = try catalog.template(named: spec.template, for: spec.runtime, account: request.account)
        else {
            throw IsolationError(.templateNotFound, spec.template)
        }
        let connection = try connections.borrow()
        do {
            let place = ProgramPlace(spec, template, execution: request.id)
            let input = try ExecutionInput(
                spec, programFile: place.file,
                // A cell has no input, and a terminal is its own.
                isInteractive: request.live != nil && request.live?.terminal == nil && spec.context == nil)
            let (streams, writeEnds) = try ExecutionStreams.make(
                withCompile: template.compile != nil, keeping: limits.output.kept, live: request.live)
            let call = ExecuteCall(
                execution: request.id, account: request.account, request: request.requestID, sandbox: spec.sandbox,
                context: spec.context,
                scratch: place.scratch, template: template.id, entrypoint: place.entrypoint,
                arguments: spec.arguments, environment: spec.environment, limits: spec.limits,
                network: SandboxNetwork(enabled: spec.networkAccess, allowedHosts: []), files: input.files,
                artifactLimits: limits.artifacts, input: input.contents?.rawValue, stdin: input.stdin?.rawValue,
                stdout: writeEnds.stdout.rawValue, stderr: writeEnds.stderr.rawValue,
                compileOutput: writeEnds.compile?.rawValue, terminal: request.live?.terminal, command: request.command)
            // The service holds copies of its own from here on; ours are closed so that the pipes can come to an end.
            try withExtendedLifetime((input, writeEnds)) { () throws(IsolationError) in try connection.execute(call) }
            return RunningExecution(
                request, connection: connection, connections: connections, streams: streams,
                input: LiveInput(request.live, writeEnd: input.writeEnd), limits: limits,
                compileTimeoutSeconds: template.compile?.timeoutSeconds ?? 0)
        } catch let error as IsolationError {
            throw error
        } catch {
            throw IsolationError(.unavailable, "\(error)")
        }
    }

    private func note(_ error: IsolationError, _ request: ExecutionRequest) {
        log.warning(
            "execution not carried out",
            metadata: ["execution.id": "\(request.id)", "error": "\(error.description)"])
    }

    /// The end of an execution that the service did not carry out.
    static func refused(_ request: ExecutionRequest, _ error: IsolationError) -> ExecutionResult {
        let detail =
            switch error.code {
            case .busy: "no capacity"
            case .templateNotFound: "the template is no longer installed"
            case .sandboxNotFound: "the sandbox is gone"
            case .sandboxNotRunning: "the sandbox does not run"
            case .networkUnavailable: "sandboxes have no network on this host"
            case .noSpace: "no room is left on the disk"
            case .conflict, .notFound, .notPossible, .snapshotNotFound: "the sandbox refused it"
            case .unavailable, .protocolViolation: "the isolation service is not available"
            case .invalidSpec, .isolationFailed: "the sandbox could not be made"
            }
        var record = request.unfinishedRecord
        record.finish(Termination(reason: .lost, detail: detail), at: .now)
        return ExecutionResult(record: record, refusal: error)
    }
}
