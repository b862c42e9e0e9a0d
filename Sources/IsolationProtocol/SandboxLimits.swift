public import SoulBoxModel

/// What everything in a persistent sandbox may use together.
public struct SandboxLimits: Sendable, Equatable {
    /// Memory in bytes.
    public var memoryBytes: Int64
    /// Processor time in thousandths of a core.
    public var cpuMillicores: Int
    /// Processes and threads.
    public var processes: Int
    /// The size of the disk in bytes.
    public var diskBytes: Int64

    /// Makes limits.
    public init(memoryBytes: Int64, cpuMillicores: Int, processes: Int, diskBytes: Int64) {
        self.memoryBytes = memoryBytes
        self.cpuMillicores = cpuMillicores
        self.processes = processes
        self.diskBytes = diskBytes
    }

    /// The Varlink type `SandboxLimits`.
    public var json: JSONValue {
        [
            "memory": JSONValue(memoryBytes), "cpu_millicores": JSONValue(cpuMillicores),
            "processes": JSONValue(processes), "disk": JSONValue(diskBytes),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let memory = json["memory"]?.integerValue,
            let cpu = json["cpu_millicores"]?.integerValue.flatMap(Int.init(exactly:)),
            let processes = json["processes"]?.integerValue.flatMap(Int.init(exactly:)),
            let disk = json["disk"]?.integerValue
        else { return nil }
        self.init(memoryBytes: memory, cpuMillicores: cpu, processes: processes, diskBytes: disk)
    }
}
