public import SoulBoxModel

/// An account: it owns keys, executions and everything else.
public struct Account: Sendable, Equatable {
    /// What it may use at most; nil is unlimited.
    public struct Quotas: Sendable, Equatable {
        /// Executions at a time.
        public var concurrentExecutions: Int64?
        /// Sandboxes.
        public var sandboxes: Int64?
        /// Bytes of disk.
        public var diskBytes: Int64?
        /// Seconds of processor time a day (UTC).
        public var cpuSecondsPerDay: Int64?
        /// Templates of its own.
        public var templates: Int64? = 20
        /// Snapshots.
        public var snapshots: Int64? = 100
        /// Bytes of snapshots on the host's disk; one is begun as long as less is in use.
        public var snapshotBytes: Int64?

        /// No limits, but for templates and snapshots: each is a disk that nobody cleans up.
        public init() {}
    }

    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// Its name, known once.
    public var name: String
    /// When it was made.
    public var createdAt: Timestamp
    /// What it may use.
    public var quotas: Quotas
    /// How many executions have not ended.
    public var executionsRunning: Int64
    /// How many sandboxes it has.
    public var sandboxes: Int64
    /// The size of their disks together, in bytes.
    public var diskBytes: Int64
    /// Processor time of executions that ended today, in microseconds.
    public var cpuTodayMicroseconds: Int64
    /// How many templates it has.
    public var templates: Int64
    /// How many snapshots it has.
    public var snapshots: Int64
    /// Bytes that these use.
    public var snapshotBytes: Int64
}
