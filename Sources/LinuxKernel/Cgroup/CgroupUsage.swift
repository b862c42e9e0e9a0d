/// What the processes of a cgroup have used, as the kernel counted it.
public struct CgroupUsage: Sendable, Equatable {
    /// The most memory at one time, in bytes.
    public var memoryPeak: UInt64
    /// Processor time in microseconds.
    public var cpuMicroseconds: UInt64
    /// How many processes the kernel killed for memory.
    public var oomKills: UInt64
    /// How many forks were refused.
    public var processLimitHits: UInt64
}
