public import SoulBoxModel

/// How a persistent sandbox stands with the isolation service.
public struct SandboxState: Sendable, Equatable {
    /// Whether programs can run in it.
    public enum Phase: String, Sendable {
        /// PID 1 waits for programs.
        case running
        /// Nothing of it runs; its files are there.
        case stopped
        /// Its processes stand on the host's disk, as its files do.
        case paused
        /// Nothing of it runs, and nobody asked for that; `reason` says why.
        case failed
    }

    /// Its identifier.
    public var id: String
    /// The account it belongs to.
    public var account: String
    /// Whether programs can run in it.
    public var phase: Phase
    /// Why it does not run; nil while it does, or when it was asked to stop.
    public var reason: String?
    /// When it was last started; nil while it does not run.
    public var startedAt: Timestamp?
    /// What it may use.
    public var limits: SandboxLimits
    /// Memory in use in bytes.
    public var memoryUsed: Int64
    /// Processor time in use, in thousandths of a core, over the seconds since this was asked last.
    public var cpuMillicoresUsed: Int
    /// Processor time used since its start, in microseconds.
    public var cpuMicroseconds: Int64
    /// Bytes in use on its disk; as they were last seen while it does not run.
    public var diskUsed: Int64
    /// Executions that run in it.
    public var executions: Int
    /// Background processes that run in it.
    public var processes: Int

    /// What it may reach.
    public var network: SandboxNetwork
    /// What has gone over its link; nil when it has none.
    public var traffic: SandboxTraffic?

    /// Makes a state.
    public init(
        id: String, account: String, phase: Phase, reason: String?, startedAt: Timestamp?, limits: SandboxLimits,
        memoryUsed: Int64 = 0, cpuMillicoresUsed: Int = 0, cpuMicroseconds: Int64 = 0, diskUsed: Int64 = 0,
        executions: Int = 0, processes: Int = 0, network: SandboxNetwork = .none, traffic: SandboxTraffic? = nil
    ) {
        self.id = id
        self.account = account
        self.phase = phase
        self.reason = reason
        self.startedAt = startedAt
        self.limits = limits
        self.memoryUsed = memoryUsed
        self.cpuMillicoresUsed = cpuMillicoresUsed
        self.cpuMicroseconds = cpuMicroseconds
        self.diskUsed = diskUsed
        self.executions = executions
        self.processes = processes
        self.network = network
        self.traffic = traffic
    }

    /// The Varlink type `Sandbox`.
    public var json: JSONValue {
        [
            "sandbox": .string(id), "account": .string(account), "phase": .string(phase.rawValue),
            "reason": JSONValue(reason), "started_at": JSONValue(startedAt?.rfc3339), "limits": limits.json,
            "memory_used": JSONValue(memoryUsed), "cpu_millicores_used": JSONValue(cpuMillicoresUsed),
            "cpu_time_us": JSONValue(cpuMicroseconds), "disk_used": JSONValue(diskUsed),
            "executions": JSONValue(executions), "processes": JSONValue(processes), "network": network.json,
            "traffic": traffic?.json ?? .null,
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let id = json["sandbox"]?.stringValue, let account = json["account"]?.stringValue,
            let phase = json["phase"]?.stringValue.flatMap(Phase.init(rawValue:)),
            let limits = json["limits"].flatMap(SandboxLimits.init(json:)),
            let memory = json["memory_used"]?.integerValue, let cpu = json["cpu_millicores_used"]?.integerValue,
            let time = json["cpu_time_us"]?.integerValue, let disk = json["disk_used"]?.integerValue,
            let executions = json["executions"]?.integerValue, let processes = json["processes"]?.integerValue,
            let network = json["network"].flatMap(SandboxNetwork.init(json:))
        else { return nil }
        self.init(
            id: id, account: account, phase: phase, reason: json["reason"]?.stringValue,
            startedAt: json["started_at"]?.stringValue.flatMap(Timestamp.init(rfc3339:)), limits: limits,
            memoryUsed: memory, cpuMillicoresUsed: Int(cpu), cpuMicroseconds: time, diskUsed: disk,
            executions: Int(executions), processes: Int(processes),
            network: network, traffic: json["traffic"].flatMap(SandboxTraffic.init(json:)))
    }
}
