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
    /// PID 1's, for this program alone.
    let connection: InitConnection
    private let isPersistent: Bool

    /// Has PID 1 fork the program's process, puts it under its limits, and checks everything about it once more.
    ///
    /// - Parameters:
    ///   - cpuCeiling: What the sandbox has as a whole, in thousandths of a core: v1 refuses a leaf with more.
    ///   - handover: The two descriptors over which it gets its work later.
    init(
        _ program: StageSupervisor.Program, in sandbox: Sandbox, filters: SeccompFilters, cpuCeiling: Int,
        handover: (read: CInt, write: CInt)? = nil
    ) throws(SandboxError) {
        isPersistent = sandbox.spec.isPersistent
        let leaf = try sandbox.group.makeLeaf(StartedProgram.limits(program.limits, cpuCeiling: cpuCeiling))
        self.leaf = leaf
        do {
            watch = try step(.supervise) { () throws(SystemCallError) in try leaf.watchOutOfMemory() }
            connection = try sandbox.connect()
            try StartedProgram.start(program, in: sandbox, filters, connection, leaf, handover)
        } catch {
            StartedProgram.end(leaf, removing: true)
            throw error
        }
    }

    /// The limits of a program's leaf.
    static func limits(_ limits: ExecutionLimits, cpuCeiling: Int) -> CgroupLimits {
        CgroupLimits(
            memoryBytes: UInt64(limits.memoryBytes), cpuMillicores: min(limits.cpuMillicores, cpuCeiling),
            processes: limits.processes, oomGroup: true)
    }

    private static func start(
        _ program: StageSupervisor.Program, in sandbox: Sandbox, _ filters: SeccompFilters,
        _ connection: borrowing InitConnection, _ leaf: any Cgroup, _ handover: (read: CInt, write: CInt)?
    ) throws(SandboxError) {
        // One of its own: an open file that several sandboxes had would have one position for all of them.
        let empty = try step(.supervise) { () throws(SystemCallError) in
            program.stdin == nil ? SharedDescriptor(try SealedFile.make(name: "stdin", contents: [])) : nil
        }
        defer { withExtendedLifetime(empty) {} }
        var descriptors = [program.stdin ?? empty?.rawValue, program.stdout, program.stderr].compactMap { $0 }
        if let handover { descriptors += [handover.read, handover.write] }
        try connection.start(
            InitMessage.Start(
                hasStdin: true, hasHandover: handover != nil,
                endsSandboxOnHangUp: !sandbox.spec.isPersistent, user: UserSlot.program, group: UserSlot.program,
                umask: 0o022, limits: ProgramLimits.make(program.limits, diskBytes: program.diskBytes),
                filters: [filters.numbers.bytes, filters.arguments.bytes],
                arguments: program.arguments.map { Array($0.utf8) },
                environment: program.environment.map { Array("\($0.name)=\($0.value)".utf8) },
                directory: Array("/workspace".utf8)),
            descriptors: descriptors)
        let pid: pid_t
        switch try connection.receive() {
        case .ready(let hostPID): pid = hostPID
        case .failed(let step, let errno): throw SandboxError(.program(step), errno: errno)
        default: throw SandboxError(.supervise, "soulbox-init gave no process")
        }
        // The process stands before its exec: into its limits first, then everything about it is checked once more.
        try step(.cgroupAttach) { () throws(SystemCallError) in try leaf.attach(pid: pid) }
        try PostureCheck.verify(program: pid, in: sandbox, leaf: leaf, hasHandover: handover != nil)
    }

    /// Lets it go on to its exec.
    func go() throws(SandboxError) { try connection.go() }

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
