internal import SoulBoxModel

extension ServiceConfiguration {
    /// The processes behind WebSockets and long streams.
    public struct Gateway: Sendable, Equatable {
        /// How many; default 2, so that one is there while another is restarted.
        public var processes = 2
        /// Connections of each at once; default 2048.
        public var connections = 2048
        /// Connections of one key to each at once; default 256.
        public var connectionsPerKey = 256
        /// Executions of each at once; default 128.
        public var executions = 128
        /// How long an execution goes on whose client has gone, in seconds; default 60.
        public var graceSeconds = 60
        /// How long one that is to end waits for its executions, in seconds; default 330.
        public var drainSeconds = 330
        /// Seconds between pings to a client; default 20.
        public var pingSeconds = 20
        /// Seconds after which a client of whom nothing is heard, and who takes nothing, is gone; default 60.
        public var silenceSeconds = 60
        /// Database connections of each; default 4.
        public var databaseConnections = 4

        /// The defaults.
        public init() {}
    }
}

extension ServiceConfiguration.Gateway {
    var json: JSONValue {
        [
            "processes": JSONValue(processes), "connections": JSONValue(connections),
            "connections_per_key": JSONValue(connectionsPerKey), "executions": JSONValue(executions),
            "grace_seconds": JSONValue(graceSeconds), "drain_seconds": JSONValue(drainSeconds),
            "ping_seconds": JSONValue(pingSeconds), "silence_seconds": JSONValue(silenceSeconds),
            "database_connections": JSONValue(databaseConnections),
        ]
    }

    init(json: JSONValue) throws(ServiceConfiguration.Malformed) {
        func number(_ key: String) throws(ServiceConfiguration.Malformed) -> Int {
            guard let value = json[key]?.integerValue, value >= 0 else {
                throw ServiceConfiguration.Malformed(key: "gateway.\(key)")
            }
            return Int(value)
        }
        self.init()
        processes = try number("processes")
        connections = try number("connections")
        connectionsPerKey = try number("connections_per_key")
        executions = try number("executions")
        graceSeconds = try number("grace_seconds")
        drainSeconds = try number("drain_seconds")
        pingSeconds = max(1, try number("ping_seconds"))
        silenceSeconds = max(1, try number("silence_seconds"))
        databaseConnections = try number("database_connections")
    }
}
