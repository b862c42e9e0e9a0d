internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension ExecutionSession {
    /// How long a context that is told to stop a cell may take before it is killed.
    private static let graceNanoseconds: UInt64 = 1_000_000_000

    /// Runs a cell in an interpreter that was there before and stays.
    func inContext(
        _ context: String, _ managed: ManagedSandbox, entry: ExecutionTable.Entry
    ) throws -> ExecutionOutcome {
        let sandbox = try managed.enter(entry)
        defer { managed.leave(entry) }
        let deadline = MonotonicClock.now + UInt64(call.limits.timeoutMilliseconds) * 1_000_000
        // One cell at a time; waiting for another one counts.
        guard managed.takeContext(context, until: deadline, isAbandoned: { entry.reason != nil || isCallerGone }) else {
            throw IsolationError(.busy, "the context runs another cell")
        }
        defer { managed.leaveContext(context) }
        let programs = BackgroundPrograms(sandbox: sandbox, filters: isolator.filters)
        guard let program = try programs.list().first(where: { $0.status == nil && $0.arguments.last == context })
        else {
            throw IsolationError(.notFound, "there is no such context")
        }
        let files = SandboxFiles(sandbox)
        var code: ExecuteCall.File?
        for file in call.files {
            if file.path == call.entrypoint {
                code = file
                continue
            }
            guard let input = call.input else { continue }
            try files.replace(file.path) { descriptor throws(SystemCallError) in
                try Files.copy(from: input, offset: file.offset, count: file.size, to: descriptor)
            }
        }
        guard let code, let input = call.input else { throw IsolationError(.invalidSpec, "a cell without code") }
        let cell = try ContextCell(files, restored: managed.state.read { $0.record.restored }) {
            descriptor throws(SystemCallError) in
            try Files.copy(from: input, offset: code.offset, count: code.size, to: descriptor)
        }
        defer { cell.remove() }
        try send(.started(streams: cell.streams))
        let leaf = sandbox.group.leaf(program.leaf)
        let before = try? leaf.usage()
        let began = MonotonicClock.now
        guard try programs.write(program.pid, Array("\(cell.path)\n".utf8), closes: false) > 0 else {
            throw IsolationError(.busy, "the context takes no cell")
        }
        let ending = try awaitEnd(of: cell, program, programs, leaf, deadline: deadline, entry: entry)
        let after = try? leaf.usage()
        let ended = cell.isComplete ? nil : awaitDeath(of: program, programs)
        let oom = (after?.oomKills ?? 0) > (before?.oomKills ?? 0)
        let verdict = TerminationVerdict(
            status: ended?.status ?? 0, asked: entry.reason ?? ending, outOfMemory: oom && ended?.status != nil,
            processLimitHits: false, diskIsFull: false)
        var termination = verdict.termination
        if ended?.status != nil, ending == nil, termination.detail == nil {
            termination.detail = "the context has ended"
        }
        return ExecutionOutcome(
            termination: termination, exitCode: ended?.status == nil ? 0 : verdict.exitCode,
            wallTimeMicroseconds: Int64((MonotonicClock.now - began) / 1000),
            cpuTimeMicroseconds: Int64(clamping: (after?.cpuMicroseconds ?? 0) &- (before?.cpuMicroseconds ?? 0)),
            memoryPeakBytes: Int64(after?.memoryPeak ?? 0))
    }

    /// How a context ended that did not say that its cell had: PID 1 knows in a moment.
    private func awaitDeath(
        of program: InitMessage.BackgroundProgram, _ programs: BackgroundPrograms
    ) -> InitMessage.BackgroundProgram? {
        let deadline = MonotonicClock.now + 2 * ExecutionSession.graceNanoseconds
        while true {
            let found = try? programs.list().first { $0.pid == program.pid }
            if found?.status != nil || MonotonicClock.now >= deadline { return found }
            usleep(5000)
        }
    }

    /// Waits for the cell's end, or brings it about: first by an interrupt, which leaves the context alive.
    private func awaitEnd(
        of cell: ContextCell, _ program: InitMessage.BackgroundProgram, _ programs: BackgroundPrograms,
        _ leaf: any Cgroup, deadline: UInt64, entry: ExecutionTable.Entry
    ) throws -> TerminationReason? {
        var ending: TerminationReason?
        var killAt: UInt64?
        while true {
            var entries = [
                PollEntry(descriptor: cell.done.rawValue, events: .input),
                PollEntry(descriptor: ending == nil ? entry.ended.pollDescriptor : -1, events: .input),
                PollEntry(descriptor: ending == nil ? connection.pollDescriptor : -1, events: .remoteHangUp),
            ]
            let next = killAt ?? deadline
            let now = MonotonicClock.now
            _ = try Poll.wait(&entries, timeout: next > now ? CInt(clamping: (next - now) / 1_000_000 + 1) : 0)
            if !entries[0].returned.isEmpty { return ending }
            if let killAt {
                guard MonotonicClock.now >= killAt else { continue }
                try? leaf.kill()
                _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000)
                return ending
            }
            if !entries[1].returned.isEmpty { ending = entry.reason ?? .cancelled }
            if !entries[2].returned.isEmpty { ending = .cancelled }
            if ending == nil, MonotonicClock.now >= deadline { ending = .timeout }
            guard ending != nil else { continue }
            try? programs.signal(program.pid, SIGINT)
            killAt = MonotonicClock.now + ExecutionSession.graceNanoseconds
        }
    }
}
