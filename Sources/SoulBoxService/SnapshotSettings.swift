internal import SoulBoxModel

extension ServiceConfiguration {
    /// How long snapshots are kept.
    public struct Snapshots: Sendable, Equatable {
        /// Days; 0 is for ever, and the default.
        public var keepDays = 0
        /// How many of each sandbox, the newest ones; 0 is all of them, and the default.
        public var keepPerSandbox = 0

        /// The defaults.
        public init() {}

        var json: JSONValue {
            ["keep_days": JSONValue(keepDays), "keep_per_sandbox": JSONValue(keepPerSandbox)]
        }

        init(json: JSONValue) throws(Malformed) {
            guard let days = json["keep_days"]?.integerValue, days >= 0 else {
                throw Malformed(key: "snapshots.keep_days")
            }
            guard let count = json["keep_per_sandbox"]?.integerValue, count >= 0 else {
                throw Malformed(key: "snapshots.keep_per_sandbox")
            }
            keepDays = Int(days)
            keepPerSandbox = Int(count)
        }
    }
}
