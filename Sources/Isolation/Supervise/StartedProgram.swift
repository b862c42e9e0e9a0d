internal import Glibc
internal import LinuxKernel
internal import LinuxSecurity
internal import SoulBoxModel

/// A program's process in its own leaf cgroup, and the connection on which PID 1 tells of its end.
///
/// It stands before its exec until `go()`.
final class StartedProgram: Sendable {
    /// Its cgroup.
    let leaf: any Cgroup
    /// Readable when memory runs out, where the kernel does not end the group itself.
    let watch: SharedDescriptor?
    /// Its process.
    let process: SharedProcess
    /// PID 1's, for this program alone.
    let connection: InitConnection
    /// That of the process itself, where a zygote forked it and not PID 1.
    private let own: InitConnection?
    private let isPersistent: Bool
    private let processes: ProcessFilesystem

    /// Has PID 1 fork the program's process, puts it under its limits, and checks everything about it once more.
    ///
    /// - Parameters:
    ///   - leafLimits: What its cgroup may use; nil is what the program may.
    ///   - cpuCeiling: What the sandbox has as a whole, in thousandths of a core: v1 refuses a leaf with more.
    ///   - handover: The two descriptors over which it gets its work later.
    ///   - patience: How long PID 1 may take to have it stand before its exec, in milliseconds: what runs in the sandbox can
    ///     slow it down, and stop the process as soon as it is the program's user's.
    init(
        _ program: StageSupervisor.Program, leafLimits: ExecutionLimits? = nil, in sandbox: Sandbox,
        filters: SeccompFilters, cpuCeiling: Int, handover: (read: CInt, write: CInt)? = nil, patience: CInt = 10_000
    ) throws(SandboxError) {
        isPersistent = sandbox.spec.isPersistent
        processes = sandbox.processes
        own = nil
        let leaf = try sandbox.group.makeLeaf(
            StartedProgram.limits(leafLimits ?? program.limits, cpuCeiling: cpuCeiling))
        self.leaf = leaf
        do throws(SandboxError) {
            watch = try step(.supervise) { () throws(SystemCallError) in try leaf.watchOutOfMemory() }
            let connection = try sandbox.connect()
            self.connection = connection
            do throws(SandboxError) {
                process = try StartedProgram.start(program, in: sandbox, filters, connection, leaf, handover, patience)
            } catch {
                // PID 1 of a sandbox for one execution ends with the connection of a process that lives, wherever that stands.
                sandbox.hold(connection)
                throw error
            }
        } catch {
            StartedProgram.end(leaf, removing: true)
            throw error
        }
    }

    /// Has a zygote fork the program's process into the sandbox; everything else is as with one that PID 1 forks.
    init(
        _ program: StageSupervisor.Program, forkedFrom zygote: Zygote, in sandbox: Sandbox, filters: SeccompFilters,
        handover: (read: CInt, write: CInt)
    ) throws(SandboxError) {
        isPersistent = false
        processes = sandbox.processes
        let leaf = try sandbox.group.makeLeaf(
            StartedProgram.limits(program.limits, cpuCeiling: sandbox.spec.cpuMillicores))
        self.leaf = leaf
        do {
            watch = try step(.supervise) { () throws(SystemCallError) in try leaf.watchOutOfMemory() }
            connection = try sandbox.connect()
            let own = try StartedProgram.ask(
                zygote, for: StartedProgram.message(program, in: sandbox, filters, hasHandover: true), in: sandbox,
                [program.stdin ?? -1, program.stdout, program.stderr, handover.read, handover.write])
            let process = try Zygote.awaitFork(own)
            self.own = own
            // From now on it is like one that PID 1 has forked, and ends with this connection.
            try connection.send(InitMessage.adopt(process.pid))
            self.process = try StartedProgram.admit(process.hostPID, to: leaf, in: sandbox, hasHandover: true)
        } catch {
            StartedProgram.end(leaf, removing: true)
            throw error
        }
    }

    /// Asks a zygote for a fork, and gives the connection to it. The process's end of that is closed here with this function's
    /// end, so that ours tells when nobody is left who could answer.
    private static func ask(
        _ zygote: Zygote, for start: InitMessage.Start, in sandbox: Sandbox, _ descriptors: [CInt]
    ) throws(SandboxError) -> InitConnection {
        let ends = try step(.zygote) { () throws(SystemCallError) in try UnixSocket.pair(kind: .sequencedPacket) }
        try step(.zygote) { () throws(SystemCallError) in try UnixSocket.passCredentials(on: ends.first) }
        let (near, far) = ends.shared()
        try withExtendedLifetime(far) { () throws(SandboxError) in
            try zygote.fork(start, into: sandbox, connection: far.rawValue, descriptors: descriptors)
        }
        return InitConnection(near)
    }

    /// The limits of a program's leaf.
    static func limits(_ limits: ExecutionLimits, cpuCeiling: Int) -> CgroupLimits {
        CgroupLimits(
            memoryBytes: UInt64(limits.memoryBytes), cpuMillicores: min(limits.cpuMillicores, cpuCeiling),
            processes: limits.processes, oomGroup: true)
    }

    private static func start(
        _ program: StageSupervisor.Program, in sandbox: Sandbox, _ filters: SeccompFilters,
        _ connection: InitConnection, _ leaf: any Cgroup, _ handover: (read: CInt, write: CInt)?, _ patience: CInt
    ) throws(SandboxError) -> SharedProcess {
        let empty = try emptyInput(program)
        defer { withExtendedLifetime(empty) {} }
        var descriptors = [program.stdin ?? empty?.rawValue, program.stdout, program.stderr].compactMap { $0 }
        if let handover { descriptors += [handover.read, handover.write] }
        try connection.start(
            message(program, in: sandbox, filters, hasHandover: handover != nil), descriptors: descriptors)
        let pid: pid_t
        switch try connection.next(milliseconds: patience, size: 256) {
        case .ready(let hostPID, _): pid = hostPID
        case .failed(let step, let errno): throw SandboxError(.program(step), errno: errno)
        default: throw SandboxError(.supervise, "soulbox-init gave no process")
        }
        return try admit(pid, to: leaf, in: sandbox, hasHandover: handover != nil)
    }

    /// What a program reads that is given no input. One of its own: an open file that several sandboxes had would have one
    /// position for all of them.
    private static func emptyInput(_ program: StageSupervisor.Program) throws(SandboxError) -> SharedDescriptor? {
        try step(.supervise) { () throws(SystemCallError) in
            program.stdin == nil ? SharedDescriptor(try SealedFile.make(name: "stdin", contents: [])) : nil
        }
    }

    private static func work(_ program: StageSupervisor.Program) -> InitMessage.Work {
        InitMessage.Work(
            limits: ProgramLimits.make(program.limits, diskBytes: program.diskBytes),
            arguments: program.arguments.map { Array($0.utf8) },
            environment: program.environment.map { Array("\($0.name)=\($0.value)".utf8) })
    }

    private static func message(
        _ program: StageSupervisor.Program, in sandbox: Sandbox, _ filters: SeccompFilters, hasHandover: Bool
    ) -> InitMessage.Start {
        let work = work(program)
        return InitMessage.Start(
            hasStdin: true, hasHandover: hasHandover, isAhead: program.isAhead,
            endsSandboxOnHangUp: !sandbox.spec.isPersistent, user: UserSlot.program, group: UserSlot.program,
            umask: 0o022, limits: work.limits, filters: [filters.numbers.bytes, filters.arguments.bytes],
            arguments: work.arguments, environment: work.environment, directory: Array("/workspace".utf8))
    }

    /// The process stands before the first instruction of its own: into its limits first, then everything about it is
    /// checked once more.
    private static func admit(
        _ pid: pid_t, to leaf: any Cgroup, in sandbox: Sandbox, hasHandover: Bool
    ) throws(SandboxError) -> SharedProcess {
        // While it waits for "go" its pid is nobody else's; but what runs beside it may have killed it.
        let process = try step(.supervise) { () throws(SystemCallError) in
            SharedProcess(try ProcessDescriptor(opening: pid))
        }
        func stands() throws(SandboxError) {
            guard !process.hasExited else { throw SandboxError(.supervise, "the process was killed before its exec") }
        }
        try PostureCheck.verify(identityOf: pid, in: sandbox)
        try stands()
        try step(.cgroupAttach) { () throws(SystemCallError) in try leaf.attach(pid: pid) }
        try PostureCheck.verify(program: pid, in: sandbox, leaf: leaf, hasHandover: hasHandover)
        try stands()
        return process
    }

    /// Lets it go on to its exec, or to what it was forked for.
    func go() throws(SandboxError) {
        try (own ?? connection).go()
    }

    /// Lets it go on to an exec of that program, with its streams, where it was started for nothing in particular.
    func go(as program: StageSupervisor.Program) throws(SandboxError) {
        let empty = try StartedProgram.emptyInput(program)
        let streams = [program.stdin ?? empty?.rawValue, program.stdout, program.stderr].compactMap { $0 }
        // Those that it stood with were looked at when it was made.
        try PostureCheck.verify(streams: streams, processes)
        try withExtendedLifetime(empty) { () throws(SandboxError) in
            try connection.go(StartedProgram.work(program), descriptors: streams)
        }
    }

    /// Leaves nothing of it running.
    func end() { StartedProgram.end(leaf, removing: isPersistent) }

    /// Removes the leaf of a program that is over. That of a sandbox made for one execution goes with the sandbox, later.
    func removeLeaf() { if isPersistent { try? leaf.remove() } }

    private static func end(_ leaf: any Cgroup, removing: Bool) {
        try? leaf.kill()
        _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 10_000_000_000)
        if removing { try? leaf.remove() }
    }
}
