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
        /// Seconds between pings to a client (int, 20; 60 at most, since the web server waits 75).
        var pingSeconds: Int?
        /// Seconds after which a client of whom nothing is heard is gone (int, 60; two pings at least).
        var silenceSeconds: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case processes, connections, executions
            case connectionsPerKey = "connections_per_key"
            case graceSeconds = "grace_seconds"
            case drainSeconds = "drain_seconds"
            case pingSeconds = "ping_seconds"
            case silenceSeconds = "silence_seconds"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func number(_ key: CodingKeys, from least: Int) throws -> Int? {
                try StrictKeys.number(values, key, in: "gateway", least...Int.max)
            }
            processes = try number(.processes, from: 1)
            connections = try number(.connections, from: 1)
            connectionsPerKey = try number(.connectionsPerKey, from: 1)
            executions = try number(.executions, from: 1)
            graceSeconds = try number(.graceSeconds, from: 0)
            drainSeconds = try number(.drainSeconds, from: 0)
            pingSeconds = try number(.pingSeconds, from: 1)
            silenceSeconds = try number(.silenceSeconds, from: 2)
            let defaults = ServiceConfiguration.Gateway()
            let ping = pingSeconds ?? defaults.pingSeconds
            guard ping <= 60 else {
                throw OperatorError(
                    "gateway.ping_seconds is above 60", advice: "The web server ends what is silent for 75 seconds.")
            }
            guard silenceSeconds ?? defaults.silenceSeconds >= 2 * ping else {
                throw OperatorError(
                    "gateway.silence_seconds is below two times gateway.ping_seconds",
                    advice: "A client needs the time to answer a ping.")
            }
        }

        func resolve(_ settings: inout ServiceConfiguration.Gateway) {
            settings.processes = processes ?? settings.processes
            settings.connections = connections ?? settings.connections
            settings.connectionsPerKey = connectionsPerKey ?? settings.connectionsPerKey
            settings.executions = executions ?? settings.executions
            settings.graceSeconds = graceSeconds ?? settings.graceSeconds
            settings.drainSeconds = drainSeconds ?? settings.drainSeconds
            settings.pingSeconds = pingSeconds ?? settings.pingSeconds
            settings.silenceSeconds = silenceSeconds ?? settings.silenceSeconds
        }
    }
}
