/// What the processes of a cgroup may use together. Swap is always off.
public struct CgroupLimits: Sendable, Equatable {
    /// Memory in bytes; nil is no limit of its own.
    public var memoryBytes: UInt64?
    /// Processor time in thousandths of a core; nil is no limit of its own.
    public var cpuMillicores: Int?
    /// Processes and threads; nil is no limit of its own.
    public var processes: Int?
    /// Whether running out of memory ends all of them (memory.oom.group). v1 has no such switch: see
    /// `Cgroup.watchOutOfMemory()`.
    public var oomGroup: Bool

    /// Makes limits.
    public init(memoryBytes: UInt64?, cpuMillicores: Int?, processes: Int?, oomGroup: Bool) {
        self.memoryBytes = memoryBytes
        self.cpuMillicores = cpuMillicores
        self.processes = processes
        self.oomGroup = oomGroup
    }
}
