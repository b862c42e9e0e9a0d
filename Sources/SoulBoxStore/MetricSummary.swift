/// What a metric came to over a span of time, over all nodes.
public struct MetricSummary: Sendable, Equatable {
    /// The mean of the nodes' newest values; nil when none is younger than a minute.
    public var current: Double?
    /// The mean of all values.
    public var average: Double
    /// The highest value.
    public var peak: Double
    /// Half of the values are no higher.
    public var p50: Double
    /// 95 percent of the values are no higher.
    public var p95: Double
    /// 99 percent of the values are no higher.
    public var p99: Double
    /// How many samples that is.
    public var count: Int64
}
