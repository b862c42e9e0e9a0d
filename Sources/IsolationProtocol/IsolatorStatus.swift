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
    /// How many sandboxes exist.
    public var sandboxes: Int
    /// The kernel features found at start.
    public var features: [String]

    /// Makes a status.
    public init(
        version: String, isolation: String, executionsRunning: Int, executionsWaiting: Int, executionsLimit: Int,
        sandboxes: Int, features: [String]
    ) {
        self.version = version
        self.isolation = isolation
        self.executionsRunning = executionsRunning
        self.executionsWaiting = executionsWaiting
        self.executionsLimit = executionsLimit
        self.sandboxes = sandboxes
        self.features = features
    }

    /// The parameters of the reply to `GetStatus`.
    public var json: JSONValue {
        [
            "version": .string(version), "isolation": .string(isolation),
            "executions_running": JSONValue(executionsRunning), "executions_waiting": JSONValue(executionsWaiting),
            "executions_limit": JSONValue(executionsLimit), "sandboxes": JSONValue(sandboxes),
            "features": .array(features.map(JSONValue.string)),
        ]
    }

    init?(json: JSONValue) {
        guard let version = json["version"]?.stringValue, let isolation = json["isolation"]?.stringValue,
            let running = json["executions_running"]?.integerValue,
            let waiting = json["executions_waiting"]?.integerValue,
            let limit = json["executions_limit"]?.integerValue, let sandboxes = json["sandboxes"]?.integerValue
        else { return nil }
        self.init(
            version: version, isolation: isolation, executionsRunning: Int(running), executionsWaiting: Int(waiting),
            executionsLimit: Int(limit), sandboxes: Int(sandboxes),
            features: json["features"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
}
