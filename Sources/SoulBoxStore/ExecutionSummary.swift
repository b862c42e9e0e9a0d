/// What the executions of a span of time came to, over the whole service.
public struct ExecutionSummary: Sendable, Equatable {
    /// Times in seconds.
    public struct Times: Sendable, Equatable {
        /// The mean.
        public var average: Double
        /// The longest.
        public var peak: Double
        /// Half of them are no longer.
        public var p50: Double
        /// 95 percent of them are no longer.
        public var p95: Double
        /// 99 percent of them are no longer.
        public var p99: Double
    }

    /// How many ended.
    public var total: Int64 = 0
    /// Those that ended as `completed`.
    public var completed: Int64 = 0
    /// Those that ended as `failed` or `timeout`.
    public var failed: Int64 = 0
    /// Wall time of their programs, without compilers; nil when none ran.
    public var duration: Times?
    /// From acceptance until the program, or its compiler, began.
    public var startup: Times?
    /// The mean time in the isolation service's queue, in seconds.
    public var queueAverage: Double?

    /// Percent of those that were not cancelled that ended as `completed`; nil when there are none.
    public var successRate: Double? {
        completed + failed == 0 ? nil : Double(completed) / Double(completed + failed) * 100
    }
}
