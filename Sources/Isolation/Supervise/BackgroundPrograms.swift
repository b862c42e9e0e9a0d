internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import LinuxSecurity
internal import SoulBoxModel

/// The background programs of one persistent sandbox. soulbox-init holds them, so they outlive this process.
struct BackgroundPrograms {
    private static let startMilliseconds: CInt = 10_000

    let sandbox: Sandbox
    let filters: SeccompFilters

    /// Starts a program; its pipes are soulbox-init's.
    func start(
        arguments: [String], environment: [ExecutionSpec.Variable], directory: String, limits: SandboxLimits
    ) throws -> InitMessage.BackgroundProgram {
        sweepLeaves()
        let number = try sandbox.group.makeNumberedLeaf(
            CgroupLimits(
                memoryBytes: UInt64(limits.memoryBytes), cpuMillicores: limits.cpuMillicores,
                processes: limits.processes, oomGroup: true))
        let leaf = sandbox.group.leaf(number)
        do {
            let connection = try sandbox.connect()
            try connection.start(
                InitMessage.Start(
                    hasStdin: true, endsSandboxOnHangUp: false, user: UserSlot.program, group: UserSlot.program,
                    umask: 0o022,
                    limits: ProgramLimits.make(
                        ExecutionLimits(memoryBytes: limits.memoryBytes, processes: limits.processes),
                        diskBytes: limits.diskBytes),
                    filters: [filters.numbers.bytes, filters.arguments.bytes],
                    arguments: arguments.map { Array($0.utf8) },
                    environment: environment.map { Array("\($0.name)=\($0.value)".utf8) },
                    directory: Array(directory.utf8), isBackground: true, leaf: number), descriptors: [])
            let pid: pid_t
            switch try connection.next(milliseconds: 10_000, size: 256) {
            case .ready(let hostPID, _): pid = hostPID
            case .failed(let step, let errno): throw BackgroundPrograms.refusal(step, errno)
            default: throw IsolationError(.conflict, "the sandbox has as many processes as it may")
            }
            try step(.cgroupAttach) { () throws(SystemCallError) in try leaf.attach(pid: pid) }
            try PostureCheck.verify(program: pid, in: sandbox, leaf: leaf)
            let before = try? sandbox.processes.readLink(pid, "exe")
            try connection.go()
            try awaitExec(pid, before: before, connection)
            guard let found = try list().first(where: { $0.leaf == number }) else {
                throw SandboxError(.supervise, "soulbox-init does not know the process")
            }
            return found
        } catch {
            try? leaf.kill()
            _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000)
            try? leaf.remove()
            throw error
        }
    }

    /// Waits until the program's process is another program, or says why it cannot be.
    private func awaitExec(_ pid: pid_t, before: String?, _ connection: InitConnection) throws {
        let deadline = MonotonicClock.now + UInt64(BackgroundPrograms.startMilliseconds) * 1_000_000
        while true {
            var entries = [PollEntry(descriptor: connection.pollDescriptor, events: .input)]
            let found = try Poll.wait(&entries, timeout: 1)
            if found > 0 {
                if case .failed(let step, let errno) = try connection.receive() {
                    throw BackgroundPrograms.refusal(step, errno)
                }
                // It has ended already: that is a program like another.
                return
            }
            guard let now = try? sandbox.processes.readLink(pid, "exe"), now == before else { return }
            guard MonotonicClock.now < deadline else { throw SandboxError(.supervise, "the program does not begin") }
        }
    }

    /// A program that cannot be executed is the caller's mistake, or a file's in the sandbox.
    private static func refusal(_ step: Int32, _ errno: Int32) -> any Error {
        switch errno {
        case ENOENT, ENOTDIR: IsolationError(.notFound, "there is no such program or directory")
        case EACCES, EPERM, ENOEXEC, EISDIR: IsolationError(.conflict, "the program cannot be executed")
        default: SandboxError(.program(step), errno: errno)
        }
    }

    /// All that soulbox-init knows, running or over.
    func list() throws(SandboxError) -> [InitMessage.BackgroundProgram] {
        guard case .list(let programs) = try sandbox.connect().ask(InitMessage.list) else {
            throw SandboxError(.supervise, "soulbox-init gave no list")
        }
        return programs
    }

    /// Output after an offset; waits for some at most that many milliseconds.
    ///
    /// - Parameter caller: A connection whose hang-up ends the waiting.
    func read(
        _ pid: Int32, after offset: UInt64, waiting milliseconds: Int, caller: CInt
    ) throws -> InitMessage.OutputPiece {
        let connection = try sandbox.connect()
        try connection.send(InitMessage.read(pid, after: offset, waits: milliseconds > 0))
        var entries = [
            PollEntry(descriptor: connection.pollDescriptor, events: .input),
            PollEntry(descriptor: caller, events: .remoteHangUp),
        ]
        // In slices: a snapshot that is to be taken waits for the end of every connection.
        var left = milliseconds > 0 ? milliseconds : 5000
        while left > 0, !sandbox.door.isShut {
            if try Poll.wait(&entries, timeout: CInt(min(left, 100))) > 0 { break }
            left -= 100
        }
        guard !entries[0].returned.isEmpty else {
            return InitMessage.OutputPiece(isOver: false, stream: 0, offset: offset, bytes: [])
        }
        switch try connection.receive(size: 64 << 10) {
        case .data(let piece): return piece
        case .done: throw IsolationError(.notFound, "there is no such process")
        default: throw SandboxError(.supervise, "soulbox-init gave no output")
        }
    }

    /// Writes to a program's input as much as it takes now; gives how many bytes that was.
    func write(_ pid: Int32, _ bytes: [UInt8], closes: Bool) throws -> Int {
        let result = try done(InitMessage.write(pid, bytes, closes: closes))
        switch -result {
        case EAGAIN: return 0
        case EPIPE: throw IsolationError(.conflict, "the process reads no input any more")
        default: return Int(result)
        }
    }

    /// Sends a program a signal.
    func signal(_ pid: Int32, _ number: Int32) throws { _ = try done(InitMessage.signal(pid, number)) }

    /// Kills a program with everything that it has started, and forgets it.
    func remove(_ pid: Int32) throws {
        guard let program = try list().first(where: { $0.pid == pid }) else {
            throw IsolationError(.notFound, "there is no such process")
        }
        let leaf = sandbox.group.leaf(program.leaf)
        try? leaf.kill()
        _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000)
        try? leaf.remove()
        // PID 1 collects it in a moment.
        for _ in 0..<200 {
            guard case .done(let result) = try sandbox.connect().ask(InitMessage.forget(pid)), result == -EBUSY else {
                return
            }
            usleep(5000)
        }
    }

    private func done(_ packet: [UInt8]) throws -> Int32 {
        guard case .done(let result) = try sandbox.connect().ask(packet) else {
            throw SandboxError(.supervise, "soulbox-init gave no answer")
        }
        switch -result {
        case ESRCH: throw IsolationError(.notFound, "there is no such process")
        case EINVAL: throw IsolationError(.invalidSpec, "no such signal")
        default: return result
        }
    }

    /// Leaves whose programs are over, with everything that they had started.
    private func sweepLeaves() {
        guard let programs = try? list() else { return }
        for program in programs where program.status != nil {
            let leaf = sandbox.group.leaf(program.leaf)
            if leaf.waitUntilEmpty(deadline: MonotonicClock.now) { try? leaf.remove() }
        }
    }
}
