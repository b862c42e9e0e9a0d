public import SoulBoxModel

/// A condition over the measurements that raises alerts.
public struct AlertRule: Sendable, Equatable {
    /// How a value is held against the threshold.
    public enum Comparison: String, Sendable, CaseIterable {
        case above = ">"
        case atLeast = ">="
        case below = "<"
        case atMost = "<="

        /// Whether the condition holds for a value.
        public func holds(_ value: Double, _ threshold: Double) -> Bool {
            switch self {
            case .above: value > threshold
            case .atLeast: value >= threshold
            case .below: value < threshold
            case .atMost: value <= threshold
            }
        }

        /// As the rest of the sentence "… is".
        var words: String {
            switch self {
            case .above: "above threshold"
            case .atLeast: "at or above threshold"
            case .below: "below threshold"
            case .atMost: "at or below threshold"
            }
        }
    }

    /// How bad it is.
    public enum Severity: String, Sendable, CaseIterable { case info, warning, critical, emergency }

    /// Who is told.
    public struct Webhook: Sendable, Equatable {
        /// Where to.
        public var url: String
        /// What deliveries are signed with, encrypted.
        public var sealedSecret: [UInt8]

        /// Makes one.
        public init(url: String, sealedSecret: [UInt8]) {
            self.url = url
            self.sealedSecret = sealedSecret
        }
    }

    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// What it is called.
    public var name: String
    /// What it is about, as ``AlertMetric`` has it.
    public var metric: String
    /// How the value is held against the threshold.
    public var comparison: Comparison
    /// What the value is held against.
    public var threshold: Double
    /// How long the condition must hold, in seconds.
    public var forSeconds: Int64
    /// How bad it is.
    public var severity: Severity
    /// Whether it is looked at.
    public var isEnabled = true
    /// Who is told.
    public var webhook: Webhook?
    /// When it was made.
    public var createdAt = Timestamp.now
    /// When it was changed last.
    public var updatedAt = Timestamp.now
    /// How often it was changed.
    public var revision: Int64 = 1

    /// Makes one.
    public init(
        id: [UInt8] = Identifier.makeUUID(), name: String, metric: String, comparison: Comparison, threshold: Double,
        forSeconds: Int64, severity: Severity
    ) {
        self.id = id
        self.name = name
        self.metric = metric
        self.comparison = comparison
        self.threshold = threshold
        self.forSeconds = forSeconds
        self.severity = severity
    }

    /// Its identifier as the API writes it.
    public var identifier: String { Identifier.text(.rule, uuid: id) }

    /// Whether it is about components.
    public var isOfComponents: Bool {
        metric == AlertMetric.anyComponent || AlertMetric.component(of: metric) != nil
    }

    /// What an alert of it says that a measurement of that name has raised.
    func message(_ metric: String) -> String {
        if AlertMetric.component(of: metric) != nil, comparison.holds(0, threshold), !comparison.holds(1, threshold) {
            return "\(AlertMetric.label(metric)) is down"
        }
        return "\(AlertMetric.label(metric)) is \(comparison.words)"
    }
}
