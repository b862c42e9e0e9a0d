/// What the executions of an interval have used, in groups.
public struct UsageReport: Sendable, Equatable {
    /// One group.
    public struct Row: Sendable, Equatable {
        /// The day as `2027-01-31`, the language, status or reason; nil when the group has an identifier.
        public var text: String?
        /// The key, sandbox or account, 16 bytes; nil for executions that had none.
        public var id: [UInt8]?
        /// What that is called; nil when it is gone, or another account's.
        public var name: String?
        /// What the group has used.
        public var sums: UsageSums

        /// Makes a row.
        public init(text: String? = nil, id: [UInt8]? = nil, name: String? = nil, sums: UsageSums = UsageSums()) {
            self.text = text
            self.id = id
            self.name = name
            self.sums = sums
        }
    }

    /// The groups: days in their order, others by their number of executions.
    public var rows: [Row]
    /// All groups together, also those beyond the limit.
    public var totals: UsageSums
    /// How many groups there are.
    public var groups: Int64
}
