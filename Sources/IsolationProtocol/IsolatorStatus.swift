public import SoulBoxModel

/// How the isolation service stands.
public struct IsolatorStatus: Sendable, Equatable {
    /// Its version.
    public var version: String
    /// The isolation in force, for people: `cgroup v1 (hybrid), namespaces, seccomp`.
    public var isolation: String
    /// How many executions run.
    public var executionsRunning: Int
    /// How many wait for their turn.
    public var executionsWaiting: Int
    /// How many may run at once.
    public var executionsLimit: Int
    /// How many sandboxes exist, without those that stand ready.
    public var sandboxes: Int
    /// How many stand ready for executions.
    public var ready: Int
    /// Those, by template.
    public var readyCounts: [ReadyCount]
    /// How many executions found one that stood ready.
    public var readyTaken: Int
    /// How often none of the kind that was asked for stood ready.
    public var readyMissed: Int
    /// The kernel features found at start.
    public var features: [String]
    /// Why the processes of a sandbox cannot be held in a snapshot; nil when they can.
    public var memorySnapshotsMissing: String?

    /// Makes a status.
    public init(
        version: String, isolation: String, executionsRunning: Int, executionsWaiting: Int, executionsLimit: Int,
        sandboxes: Int, ready: Int = 0, readyCounts: [ReadyCount] = [], readyTaken: Int = 0, readyMissed: Int = 0,
        features: [String],
        memorySnapshotsMissing: String? = nil
    ) {
        self.version = version
        self.isolation = isolation
        self.executionsRunning = executionsRunning
        self.executionsWaiting = executionsWaiting
        self.executionsLimit = executionsLimit
        self.sandboxes = sandboxes
        self.ready = ready
        self.readyCounts = readyCounts
        self.readyTaken = readyTaken
        self.readyMissed = readyMissed
        self.features = features
        self.memorySnapshotsMissing = memorySnapshotsMissing
    }

    /// The parameters of the reply to `GetStatus`.
    public var json: JSONValue {
        [
            "version": .string(version), "isolation": .string(isolation),
            "executions_running": JSONValue(executionsRunning), "executions_waiting": JSONValue(executionsWaiting),
            "executions_limit": JSONValue(executionsLimit), "sandboxes": JSONValue(sandboxes),
            "ready": JSONValue(ready), "ready_counts": .array(readyCounts.map(\.json)),
            "ready_taken": JSONValue(readyTaken), "ready_missed": JSONValue(readyMissed),
            "features": .array(features.map(JSONValue.string)),
            "memory_snapshots_missing": JSONValue(memorySnapshotsMissing),
        ]
    }

    init?(json: JSONValue) {
        guard let version = json["version"]?.stringValue, let isolation = json["isolation"]?.stringValue,
            let running = json["executions_running"]?.integerValue,
            let waiting = json["executions_waiting"]?.integerValue,
            let limit = json["executions_limit"]?.integerValue, let sandboxes = json["sandboxes"]?.integerValue,
            let ready = json["ready"]?.integerValue, let taken = json["ready_taken"]?.integerValue,
            let missed = json["ready_missed"]?.integerValue
        else { return nil }
        self.init(
            version: version, isolation: isolation, executionsRunning: Int(running), executionsWaiting: Int(waiting),
            executionsLimit: Int(limit), sandboxes: Int(sandboxes), ready: Int(ready),
            readyCounts: json["ready_counts"]?.arrayValue?.compactMap(ReadyCount.init(json:)) ?? [],
            readyTaken: Int(taken), readyMissed: Int(missed),
            features: json["features"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            memorySnapshotsMissing: json["memory_snapshots_missing"]?.stringValue)
    }
}
