internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Carries out one `Execute` call on the thread of its connection.
struct ExecutionSession {
    let isolator: Isolator
    let connection: VarlinkConnection
    let parameters: ExecuteParameters
    let log: Logger
    /// What the execution has used, and what is removed once the caller has its answer.
    let used = UsedSandbox()
    /// The terminal of the program, if it is to have one.
    let terminal = ProgramTerminal()

    var call: ExecuteCall { parameters.call }

    /// What each of its log lines says.
    private var about: Logger.Metadata {
        var metadata: Logger.Metadata = ["execution.id": "\(call.execution)"]
        if let request = call.request { metadata["request.id"] = "\(request)" }
        return metadata
    }

    /// Runs the execution and sends its events. Throws only when the caller cannot be told any more.
    func run() throws(IsolationError) {
        let last: ExecutionEvent
        do {
            let outcome = try execute()
            log.info(
                "execution ended",
                metadata: about.merging([
                    "execution.reason": "\(outcome.termination.reason.rawValue)",
                    "execution.wall_us": "\(outcome.wallTimeMicroseconds)",
                    "execution.queue_us": "\(outcome.queueTimeMicroseconds)",
                ]) { $1 })
            last = .finished(outcome)
        } catch let error as IsolationError {
            last = .failed(error)
        } catch let error as SandboxError {
            let absence = call.sandbox.flatMap {
                isolator.sandboxes.absence(of: $0, account: call.account, behind: error)
            }
            if absence == nil {
                log.error(
                    "sandbox failed",
                    metadata: about.merging(["step": "\(error.step.name)", "error": "\(error)"]) { $1 })
            }
            last = .failed(absence ?? IsolationError(.isolationFailed, "\(error)"))
        } catch {
            last = .failed(IsolationError(.isolationFailed, "\(error)"))
        }
        defer { used.discard(isolator) }
        try send(last)
    }

    func send(_ event: ExecutionEvent) throws(IsolationError) {
        let reply = event.reply
        try connection.send(reply.message, descriptors: reply.descriptors)
    }

    private func execute() throws -> ExecutionOutcome {
        // What does not run is refused before anything waits for it.
        let managed = try call.sandbox.map { try isolator.sandboxes.find($0, account: call.account) }
        let image = try CallCheck.validate(call, in: managed, images: isolator.images)
        guard let entry = try isolator.table.add(call.execution, account: call.account) else {
            throw IsolationError(.invalidSpec, "an execution of that name runs already")
        }
        defer { isolator.table.remove(call.execution) }
        let arrived = MonotonicClock.now
        guard try takeTurn(entry) else { return cancelled(entry, since: arrived) }
        let queueTime = Int64((MonotonicClock.now - arrived) / 1000)
        defer { isolator.queue.leave() }
        var outcome: ExecutionOutcome
        do {
            outcome = try carryOut(image: image, in: managed, entry: entry)
        } catch {
            // Whoever asked for its end has taken away what it stood on: that is its end, and no failure.
            guard entry.reason != nil else { throw error }
            outcome = cancelled(entry, since: arrived)
        }
        outcome.queueTimeMicroseconds = queueTime
        return outcome
    }

    private func carryOut(
        image: Image, in managed: ManagedSandbox?, entry: ExecutionTable.Entry
    ) throws -> ExecutionOutcome {
        guard let managed else { return try inSandbox(of: image, entry: entry) }
        if let context = call.context { return try inContext(context, managed, entry: entry) }
        return try inPersistentSandbox(managed, image: image, entry: entry)
    }

    /// Waits for a place among the running; false when the execution was ended before it had one.
    private func takeTurn(_ entry: ExecutionTable.Entry) throws(IsolationError) -> Bool {
        guard case .waiting(let turn, let ahead) = isolator.queue.arrive() else { return true }
        try send(.queued(position: ahead))
        let deadline = MonotonicClock.now + UInt64(isolator.configuration.queueWaitMilliseconds) * 1_000_000
        let outcome = isolator.queue.wait(for: turn, until: deadline) { entry.reason != nil || isCallerGone }
        switch outcome {
        case .admitted: return true
        case .abandoned: return false
        case .timedOut: throw IsolationError(.busy, "no place within the waiting time")
        }
    }

    var isCallerGone: Bool {
        var entries = [PollEntry(descriptor: connection.pollDescriptor, events: .remoteHangUp)]
        _ = try? Poll.wait(&entries, timeout: 0)
        return !entries[0].returned.isEmpty
    }

    private func cancelled(_ entry: ExecutionTable.Entry, since arrived: UInt64) -> ExecutionOutcome {
        ExecutionOutcome(
            termination: Termination(reason: entry.reason ?? .cancelled),
            queueTimeMicroseconds: Int64((MonotonicClock.now - arrived) / 1000))
    }

    private func inSandbox(of image: Image, entry: ExecutionTable.Entry) throws -> ExecutionOutcome {
        let isCompiled = image.manifest.compile != nil
        let key = isCompiled ? CompileKey(call, image) : nil
        let cached = key.flatMap(isolator.compiled.find)
        let ready = try isolator.supply.take(for: call, image: image, isCompiled: cached != nil)
        let sandbox = ready.sandbox
        // The caller has its answer before the remains are cleared away.
        used.take(ready)
        guard let disk = sandbox.disk else { throw SandboxError(.workspace, "no disk") }
        var workspace = try Workspace(disk: disk, slot: sandbox.slot)
        if let input = call.input {
            try workspace.write(call.files, from: input, through: image.layer == nil ? sandbox.root : nil)
        }
        var plain = program(of: image, build: CommandLine.buildDirectory, diskBytes: call.limits.diskBytes)
        // The program first: what it takes to be told of it costs it no time.
        let waiting = isCompiled ? nil : try begin(ready.program, plain.environment)
        if let waiting {
            try send(.started(streams: waiting.output))
        } else {
            try giveStreams(to: sandbox.slot)
            try terminal.open(call.terminal, in: sandbox)
            try send(.started(streams: terminal.far))
        }
        let supervisor = StageSupervisor(
            sandbox: sandbox, filters: isolator.filters, entry: entry, caller: connection.pollDescriptor,
            cpuCeiling: sandbox.spec.cpuMillicores)
        var compile: StageOutcome?
        var blank = ready.blank
        if let cached {
            compile = try install(cached, in: sandbox)
        } else if let compiled = try compileStage(
            of: image, supervisor: supervisor, build: CommandLine.buildDirectory,
            diskBytes: image.manifest.compile?.diskBytes ?? 0, prestarted: isCompiled ? ready.program : nil,
            blank: &blank)
        {
            try send(.compiled(compiled.outcome))
            if !compiled.isProgram {
                return ExecutionOutcome(termination: compileTermination(compiled.outcome), compile: compiled.outcome)
            }
            if let key {
                isolator.compiled.keep(key, account: call.account, disk: disk, output: compiled.output)
            }
            compile = compiled.outcome
        }
        try limitDisk(disk, of: sandbox)
        terminal.give(to: &plain)
        let result: StageSupervisor.Result
        if let waiting {
            result = try supervisor.follow(waiting, call.limits)
        } else {
            result = try supervisor.run(plain, as: blank, isNew: cached != nil)
        }
        try sendArtifacts(of: workspace)
        return outcome(result, compile)
    }

    /// Gives the program that waits its work; nil where none does, when there is more to tell it than it takes, and when it
    /// has ended meanwhile. It is left to end with its sandbox.
    func begin(
        _ program: PrestartedProgram?, _ environment: [ExecutionSpec.Variable]
    ) throws -> PrestartedProgram? {
        // Input that is still to come cannot be copied to it.
        guard let program, call.terminal == nil, try hasAllInput(),
            let work = Handover(arguments: call.arguments, environment: environment, stdin: call.stdin),
            try program.begin(work)
        else { return nil }
        return program
    }

    private func hasAllInput() throws(SandboxError) -> Bool {
        guard let stdin = call.stdin else { return true }
        return try step(.supervise) { () throws(SystemCallError) in try Files.status(of: stdin).isRegular }
    }

    /// The program that is to run, with everything decided.
    func program(of image: Image, build: String, diskBytes: Int64) -> StageSupervisor.Program {
        let line = CommandLine(
            entrypoint: call.entrypoint ?? image.manifest.programFile, build: build,
            memoryBytes: call.limits.memoryBytes, cpuMillicores: call.limits.cpuMillicores)
        return StageSupervisor.Program(
            arguments: line.arguments(of: image.manifest.run, adding: call.arguments),
            environment: line.environment(
                of: image.manifest.run, template: image.manifest.environment,
                request: image.variables + call.environment),
            limits: call.limits, diskBytes: diskBytes, stdin: call.stdin, stdout: call.stdout, stderr: call.stderr)
    }

    /// What the caller is told of a program that ended.
    func outcome(_ result: StageSupervisor.Result, _ compile: StageOutcome?) -> ExecutionOutcome {
        ExecutionOutcome(
            termination: result.termination, exitCode: result.exitCode,
            wallTimeMicroseconds: result.wallTimeMicroseconds,
            cpuTimeMicroseconds: result.cpuTimeMicroseconds, memoryPeakBytes: result.memoryPeakBytes, compile: compile)
    }

    /// The caller's pipes belong to the program's user, or opening `/dev/stdout` anew fails.
    func giveStreams(to slot: UserSlot) throws(SandboxError) {
        for descriptor in [call.stdin, call.stdout, call.stderr].compactMap({ $0 }) {
            try step(.workspace) { () throws(SystemCallError) in
                try Files.setOwner(of: descriptor, user: slot.hostProgram, group: slot.hostProgram)
            }
        }
    }

    /// The compile stage had a disk of its own size; what it left does not count against the program's.
    private func limitDisk(_ disk: SharedDescriptor, of sandbox: Sandbox) throws(SandboxError) {
        guard sandbox.spec.disk.bytes > call.limits.diskBytes else { return }
        try step(.stageDisk) { () throws(SystemCallError) in
            let space = try Files.space(of: disk.rawValue)
            try Mount.resize(
                disk: disk.rawValue, bytes: Int64(space.usedBytes) + call.limits.diskBytes,
                inodes: Int(space.usedInodes) + ExecutionLimits.inodes)
        }
    }

    private func sendArtifacts(of workspace: borrowing Workspace) throws(IsolationError) {
        var left = workspace.artifacts(limits: call.artifactLimits)[...]
        while !left.isEmpty {
            let batch = Array(left.prefix(VarlinkConnection.maximumDescriptors))
            try send(.artifacts(batch))
            left = left.dropFirst(batch.count)
        }
    }
}
