internal import Glibc
internal import LinuxKernel
internal import LinuxSecurity
internal import SoulBoxModel

/// Runs one stage of an execution, compile or run, in a leaf cgroup of its own, and sees to its end.
struct StageSupervisor {
    /// A program with everything decided.
    struct Program {
        var arguments: [String]
        var environment: [ExecutionSpec.Variable]
        var limits: ExecutionLimits
        var diskBytes: Int64
        var stdin: CInt?
        var stdout: CInt
        var stderr: CInt
        /// Whether nobody waits for it yet.
        var isAhead = false
    }

    /// How a stage ended.
    struct Result {
        var termination: Termination
        var exitCode: Int?
        var wallTimeMicroseconds: Int64
        var cpuTimeMicroseconds: Int64
        var memoryPeakBytes: Int64
    }

    let sandbox: Sandbox
    let filters: SeccompFilters
    let entry: ExecutionTable.Entry
    /// The caller's connection; its hang-up is a cancellation.
    let caller: CInt

    /// The processor time of everything in the sandbox together, in thousandths of a core.
    let cpuCeiling: Int

    /// How often a program whose file was written just now is tried again, and after how long in microseconds.
    private static let retries: (count: Int, pause: UInt32) = (50, 2000)

    /// Starts the program, waits for its end or brings it about, and leaves nothing of it running.
    ///
    /// - Parameters:
    ///   - blank: A process that stands for it, with its limits.
    ///   - isNew: Whether its file was written by this process: a child that is about to become something else may
    ///     hold a copy of the descriptor for a moment, and a file that is open for writing is not executed (ETXTBSY).
    ///   - meanwhile: What to do when it runs, before it is waited for.
    func run(
        _ program: Program, as blank: BlankProcess?, isNew: Bool = false, meanwhile: () -> Void = {}
    ) throws(SandboxError) -> Result {
        var left = isNew ? StageSupervisor.retries.count : 0
        var blank = blank
        while true {
            do {
                let started = try start(program, as: blank)
                let began = MonotonicClock.now
                meanwhile()
                return try supervise(started, program.limits, since: began)
            } catch  where error.errno == ETXTBSY && left > 0 {
                left -= 1
                blank = nil
                usleep(StageSupervisor.retries.pause)
            }
        }
    }

    /// Starts a program: as a process that stands for it, or else as one of its own.
    private func start(_ program: Program, as blank: BlankProcess?) throws(SandboxError) -> StartedProgram {
        if let blank {
            if blank.isStanding, (try? blank.started.go(as: program)) != nil { return blank.started }
            blank.started.end()
        }
        let started = try StartedProgram(program, in: sandbox, filters: filters, cpuCeiling: cpuCeiling)
        do {
            try started.go()
        } catch {
            started.end()
            throw error
        }
        return started
    }

    /// Goes on with a program that has begun its work as with any other.
    func follow(
        _ program: PrestartedProgram, _ limits: ExecutionLimits, meanwhile: () -> Void = {}
    ) throws(SandboxError) -> Result {
        let began = MonotonicClock.now
        meanwhile()
        return try supervise(program.started, limits, since: began, startMicroseconds: program.startMicroseconds)
    }

    private func supervise(
        _ program: StartedProgram, _ limits: ExecutionLimits, since began: UInt64, startMicroseconds: UInt64 = 0
    ) throws(SandboxError) -> Result {
        var isOver = false
        // Whatever went wrong, nothing of it may run on.
        defer { if isOver { program.removeLeaf() } else { program.end() } }
        entry.run(program.process)
        defer { entry.run(nil) }
        let leaf = program.leaf
        let deadline = began + UInt64(limits.timeoutMilliseconds) * 1_000_000
        var ending: TerminationReason?
        var callerIsGone = false
        var status: Int32?
        var isStuck = false
        while status == nil {
            // Once the end is under way only PID 1's report is awaited, and not for ever.
            let limit = ending == nil ? deadline : MonotonicClock.now + 5_000_000_000
            var entries = [PollEntry(descriptor: program.connection.pollDescriptor, events: .input)]
            if ending == nil {
                entries.append(PollEntry(descriptor: entry.ended.pollDescriptor, events: .input))
                entries.append(PollEntry(descriptor: callerIsGone ? -1 : caller, events: .remoteHangUp))
                entries.append(PollEntry(descriptor: program.watch?.rawValue ?? -1, events: [.input, .priority]))
            }
            let now = MonotonicClock.now
            // Rounded up: a poll that returns a moment early would only spin.
            let wait = limit > now ? CInt((limit - now + 999_999) / 1_000_000) : 0
            _ = try step(.supervise) { () throws(SystemCallError) in try Poll.wait(&entries, timeout: wait) }
            if !entries[0].returned.isEmpty {
                switch try program.connection.receive() {
                case .exited(let code): status = code
                case .failed(let step, let errno):
                    return try failed(step: step, errno: errno)
                case nil:
                    guard ending != nil else { throw SandboxError(.supervise, "PID 1 ended") }
                    status = SIGKILL
                default: throw SandboxError(.supervise, "soulbox-init spoke out of turn")
                }
                continue
            }
            if ending != nil {
                guard MonotonicClock.now >= limit else { continue }
                // An uninterruptible sleep: whoever waits is told how it ended; what is left is the remover's to report.
                status = SIGKILL
                isStuck = true
                continue
            }
            if !entries[1].returned.isEmpty { ending = entry.reason ?? .cancelled }
            if !entries[2].returned.isEmpty {
                callerIsGone = true
                ending = .cancelled
            }
            // v1 tells before it kills one process; the whole group ends, as memory.oom.group has it on v2.
            if ending == nil, !entries[3].returned.isEmpty { ending = .oom }
            if ending == nil, MonotonicClock.now >= deadline { ending = .timeout }
            if ending != nil { try step(.supervise) { () throws(SystemCallError) in try leaf.kill() } }
        }
        let ended = MonotonicClock.now
        // Whatever the program left in the background ends with it, and its pipes close.
        try step(.supervise) { () throws(SystemCallError) in try leaf.kill() }
        if !isStuck { _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000) }
        let usage = try step(.supervise) { () throws(SystemCallError) in try leaf.usage() }
        isOver = !isStuck
        let verdict = TerminationVerdict(
            status: status ?? SIGKILL, asked: entry.reason ?? ending, outOfMemory: usage.oomKills > 0,
            processLimitHits: usage.processLimitHits > 0, diskIsFull: diskIsFull())
        return Result(
            termination: verdict.termination, exitCode: verdict.exitCode,
            wallTimeMicroseconds: Int64((ended - began) / 1000),
            cpuTimeMicroseconds: Int64(usage.cpuMicroseconds - min(usage.cpuMicroseconds, startMicroseconds)),
            memoryPeakBytes: Int64(usage.memoryPeak))
    }

    /// The program's process failed between "go" and its exec: most often there is no such file to execute.
    private func failed(step number: Int32, errno: Int32) throws(SandboxError) -> Result {
        throw SandboxError(.program(number), errno: errno)
    }

    private func diskIsFull() -> Bool {
        guard let space = try? sandbox.space() else { return false }
        // Less than what most programs write at once: a filesystem keeps a few blocks back, and frees some late.
        return space.availableBytes < 64 << 10 || space.freeInodes == 0
    }
}
