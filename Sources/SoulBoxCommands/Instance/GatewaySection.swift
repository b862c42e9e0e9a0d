import SoulBoxService

extension OperatorConfiguration {
    /// Live connections.
    struct Gateway: Decodable {
        /// Processes (int, 2).
        var processes: Int?
        /// Connections of each process at once (int, 2048), and of one key to each (int, 256).
        var connections: Int?
        var connectionsPerKey: Int?
        /// Executions of each process at once (int, 128).
        var executions: Int?
        /// Seconds that an execution goes on whose client has gone (int, 60).
        var graceSeconds: Int?
        /// Seconds that a process which is to end waits for its executions (int, 330).
        var drainSeconds: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case processes, connections, executions
            case connectionsPerKey = "connections_per_key"
            case graceSeconds = "grace_seconds"
            case drainSeconds = "drain_seconds"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func number(_ key: CodingKeys, from least: Int) throws -> Int? {
                guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return nil }
                guard value >= least else {
                    throw OperatorError("gateway.\(key.rawValue) is below \(least)", advice: "Give a larger number.")
                }
                return value
            }
            processes = try number(.processes, from: 1)
            connections = try number(.connections, from: 1)
            connectionsPerKey = try number(.connectionsPerKey, from: 1)
            executions = try number(.executions, from: 1)
            graceSeconds = try number(.graceSeconds, from: 0)
            drainSeconds = try number(.drainSeconds, from: 0)
        }

        func resolve(_ settings: inout ServiceConfiguration.Gateway) {
            settings.processes = processes ?? settings.processes
            settings.connections = connections ?? settings.connections
            settings.connectionsPerKey = connectionsPerKey ?? settings.connectionsPerKey
            settings.executions = executions ?? settings.executions
            settings.graceSeconds = graceSeconds ?? settings.graceSeconds
            settings.drainSeconds = drainSeconds ?? settings.drainSeconds
        }
    }
}
