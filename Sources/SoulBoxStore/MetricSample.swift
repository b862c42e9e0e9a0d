public import SoulBoxModel

/// One measurement of one node.
public struct MetricSample: Sendable, Equatable {
    /// What was measured, as ``MetricName`` has it.
    public var metric: String
    /// The node.
    public var node: String
    /// When.
    public var at: Timestamp
    /// The value, in the metric's unit.
    public var value: Double

    /// Puts one together.
    public init(metric: String, node: String, at: Timestamp, value: Double) {
        self.metric = metric
        self.node = node
        self.at = at
        self.value = value
    }
}
