import SoulBoxService

extension OperatorConfiguration {
    /// Snapshots of sandboxes.
    struct Snapshots: Decodable {
        /// Days that one is kept (int; none: for ever).
        var keepDays: Int?
        /// How many of each sandbox are kept, the newest ones (int; none: all).
        var keepPerSandbox: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case keepDays = "keep_days"
            case keepPerSandbox = "keep_per_sandbox"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            func number(_ key: CodingKeys) throws -> Int? {
                guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return nil }
                guard value >= 1 else {
                    throw OperatorError(
                        "snapshots.\(key.rawValue) is below 1", advice: "Leave it out to keep all of them.")
                }
                return value
            }
            keepDays = try number(.keepDays)
            keepPerSandbox = try number(.keepPerSandbox)
        }

        func resolve(_ settings: inout ServiceConfiguration.Snapshots) {
            settings.keepDays = keepDays ?? settings.keepDays
            settings.keepPerSandbox = keepPerSandbox ?? settings.keepPerSandbox
        }
    }
}
