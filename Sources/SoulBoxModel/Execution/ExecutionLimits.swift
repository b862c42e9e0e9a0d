/// What an execution may use.
public struct ExecutionLimits: Sendable, Equatable {
    /// Wall time of the program, in milliseconds; compiling has a limit of its own.
    public var timeoutMilliseconds: Int

    /// Memory in bytes, the sandbox's disk included: it is a tmpfs.
    public var memoryBytes: Int64

    /// Processor time, in thousandths of a core.
    public var cpuMillicores: Int

    /// Processes and threads.
    public var processes: Int

    /// Makes limits; the defaults are those of the API.
    public init(
        timeoutMilliseconds: Int = 30_000, memoryBytes: Int64 = 256 << 20, cpuMillicores: Int = 1000,
        processes: Int = 128
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.memoryBytes = memoryBytes
        self.cpuMillicores = cpuMillicores
        self.processes = processes
    }

    /// The size of a one-shot sandbox's disk in bytes: half the memory limit, 256 MiB at most.
    public var diskBytes: Int64 { min(ExecutionLimits.maximumDiskBytes, memoryBytes / 2) }

    /// The largest such disk, in bytes.
    public static let maximumDiskBytes: Int64 = 256 << 20

    /// How many files and directories that disk holds.
    public static let inodes = 16_384
}
