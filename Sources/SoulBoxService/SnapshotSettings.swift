internal import SoulBoxModel

extension ServiceConfiguration {
    /// How long snapshots are kept, and how long the processes in them may take.
    public struct Snapshots: Sendable, Equatable {
        /// Days; 0 is for ever, and the default.
        public var keepDays = 0
        /// How many of each sandbox, the newest ones; 0 is all of them, and the default.
        public var keepPerSandbox = 0
        /// The seconds within which a sandbox's processes are written, or go on.
        public var processSeconds = 600

        /// The defaults.
        public init() {}

        var json: JSONValue {
            [
                "keep_days": JSONValue(keepDays), "keep_per_sandbox": JSONValue(keepPerSandbox),
                "process_seconds": JSONValue(processSeconds),
            ]
        }

        init(json: JSONValue) throws(Malformed) {
            guard let days = json["keep_days"]?.integerValue, days >= 0 else {
                throw Malformed(key: "snapshots.keep_days")
            }
            guard let count = json["keep_per_sandbox"]?.integerValue, count >= 0 else {
                throw Malformed(key: "snapshots.keep_per_sandbox")
            }
            guard let seconds = json["process_seconds"]?.integerValue, seconds > 0 else {
                throw Malformed(key: "snapshots.process_seconds")
            }
            keepDays = Int(days)
            keepPerSandbox = Int(count)
            processSeconds = Int(seconds)
        }
    }
}
