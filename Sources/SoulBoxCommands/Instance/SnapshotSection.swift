import SoulBoxService

extension OperatorConfiguration {
    /// Snapshots of sandboxes.
    struct Snapshots: Decodable {
        /// Days that one is kept (int; none: for ever).
        var keepDays: Int?
        /// How many of each sandbox are kept, the newest ones (int; none: all).
        var keepPerSandbox: Int?
        /// Seconds within which a sandbox's processes are written, or go on (int; none: 600).
        var processSeconds: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case keepDays = "keep_days"
            case keepPerSandbox = "keep_per_sandbox"
            case processSeconds = "process_seconds"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            keepDays = try StrictKeys.number(values, .keepDays, in: "snapshots", 1...36_500)
            keepPerSandbox = try StrictKeys.number(values, .keepPerSandbox, in: "snapshots", 1...1_000_000)
            processSeconds = try StrictKeys.number(values, .processSeconds, in: "snapshots", 10...86_400)
        }

        func resolve(_ settings: inout ServiceConfiguration.Snapshots) {
            settings.keepDays = keepDays ?? settings.keepDays
            settings.keepPerSandbox = keepPerSandbox ?? settings.keepPerSandbox
            settings.processSeconds = processSeconds ?? settings.processSeconds
        }
    }
}
