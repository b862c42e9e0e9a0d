internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// A process of a sandbox that stands before its exec and has not been told yet what that is to be.
///
/// All that takes time has happened: it is in its own cgroup (the kernel lets a process into one only after a grace period of
/// RCU, 8 ms on an idle machine), has its identity and its filters, and was checked. No code of a user has run in it.
final class BlankProcess: Sendable {
    /// How many processes its user may have until it is told how many: a process can lower its limits later, and raise none.
    /// Its cgroup counts all the while.
    private static let processes = 1 << 16

    /// How long its start may take, in milliseconds; whoever has to wait longer is better off without one.
    private static let patience: CInt = 500

    /// The process.
    let started: StartedProgram
    /// What its cgroup may use.
    let limits: ExecutionLimits
    /// The largest that a file of its can be.
    let diskBytes: Int64

    private init(_ started: StartedProgram, _ limits: ExecutionLimits, _ diskBytes: Int64) {
        self.started = started
        self.limits = limits
        self.diskBytes = diskBytes
    }

    /// Has PID 1 fork one.
    ///
    /// - Parameters:
    ///   - limits: What its cgroup may use.
    ///   - diskBytes: The largest that a file of its can be.
    init(
        in sandbox: Sandbox, limits: ExecutionLimits, diskBytes: Int64, filters: SeccompFilters, cpuCeiling: Int
    ) throws(SandboxError) {
        var wide = limits
        wide.processes = BlankProcess.processes
        let null = try step(.supervise) { () throws(SystemCallError) in
            SharedDescriptor(try Files.open("/dev/null", .readWrite))
        }
        self.limits = limits
        self.diskBytes = diskBytes
        started = try withExtendedLifetime(null) { () throws(SandboxError) in
            try StartedProgram(
                StageSupervisor.Program(
                    arguments: ["/"], environment: [], limits: wide, diskBytes: diskBytes, stdin: null.rawValue,
                    stdout: null.rawValue, stderr: null.rawValue),
                leafLimits: limits, in: sandbox, filters: filters, cpuCeiling: cpuCeiling,
                patience: BlankProcess.patience)
        }
    }

    /// Whether it still stands: whatever runs beside it as the same user may have killed it.
    var isStanding: Bool {
        // Before PID 1 tells of its end the kernel does.
        var entries = [started.process.pollDescriptor, started.connection.pollDescriptor].map {
            PollEntry(descriptor: $0, events: .input)
        }
        return (try? Poll.wait(&entries, timeout: 0)) == 0
    }

    /// Ends it without waiting for that.
    func dismiss() { try? started.leaf.kill() }

    /// Gives its cgroup the limits of a program.
    ///
    /// - Parameters:
    ///   - before: What the sandbox had as a whole when its limits were set, in thousandths of a core; nil when nobody knows.
    ///   - ceiling: What it has now.
    func resized(to limits: ExecutionLimits, before: Int?, ceiling: Int) throws(SandboxError) -> BlankProcess {
        let wanted = StartedProgram.limits(limits, cpuCeiling: ceiling)
        if let before, wanted == StartedProgram.limits(self.limits, cpuCeiling: before) { return self }
        try step(.cgroupAttach) { () throws(SystemCallError) in try started.leaf.set(wanted) }
        return BlankProcess(started, limits, diskBytes)
    }
}
