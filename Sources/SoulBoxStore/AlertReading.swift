public import SoulBoxModel

/// What the measurements say of one subject of a rule at one moment.
public struct AlertReading: Sendable, Equatable {
    /// The rule.
    public var rule: AlertRule
    /// What was measured.
    public var metric: String
    /// Where it was measured.
    public var node: String
    /// The database's clock.
    public var now: Timestamp
    /// When the newest measurement was made.
    public var newestAt: Timestamp
    /// The newest value.
    public var value: Double
    /// When the first measurement of the rule's time before the newest was made.
    public var firstAt: Timestamp
    /// How many there are in the rule's time.
    public var count: Int64
    /// Whether the condition holds for all of them.
    public var holds: Bool
    /// How many there are in the time that a condition must have ended for.
    public var endCount: Int64
    /// Whether the condition holds for none of those.
    public var hasEnded: Bool
    /// When an alert about it was resolved by hand last.
    public var handResolvedAt: Timestamp?
    /// The open alert about it, 16 bytes; nil when there is none.
    public var alert: [UInt8]?

    /// Puts one together.
    public init(
        rule: AlertRule, metric: String, node: String, now: Timestamp, newestAt: Timestamp, value: Double,
        firstAt: Timestamp, count: Int64, holds: Bool, endCount: Int64, hasEnded: Bool,
        handResolvedAt: Timestamp? = nil, alert: [UInt8]? = nil
    ) {
        self.rule = rule
        self.metric = metric
        self.node = node
        self.now = now
        self.newestAt = newestAt
        self.value = value
        self.firstAt = firstAt
        self.count = count
        self.holds = holds
        self.endCount = endCount
        self.hasEnded = hasEnded
        self.handResolvedAt = handResolvedAt
        self.alert = alert
    }

    /// What an alert about it is about: the node, with a rule over components the component on it.
    public var subject: String {
        AlertMetric.component(of: metric).map { "\($0)@\(node)" } ?? node
    }
}
