public import SoulBoxModel

/// What a rule has found, and how it stands.
public struct Alert: Sendable, Equatable {
    /// How it stands.
    public enum Status: String, Sendable, CaseIterable { case active, acknowledged, resolved }

    /// Why it is resolved.
    public enum Resolution: String, Sendable, CaseIterable {
        case conditionEnded = "condition_ended"
        case byHand = "by_hand"
        case ruleChanged = "rule_changed"
        case ruleDisabled = "rule_disabled"
        case ruleDeleted = "rule_deleted"
    }

    /// Something that happened to it.
    public struct Event: Sendable, Equatable {
        /// What.
        public enum Kind: String, Sendable, CaseIterable { case triggered, acknowledged, resolved }

        /// What.
        public var kind: Kind
        /// When.
        public var at: Timestamp
        /// Whose key did it, 16 bytes; nil when the service did.
        public var keyID: [UInt8]?
        /// For which account, 16 bytes.
        public var accountID: [UInt8]?
        /// What was said about it.
        public var comment: String?
    }

    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// The rule that found it, 16 bytes; it may be gone.
    public var ruleID: [UInt8]
    /// What the rule was called.
    public var ruleName: String
    /// The measurement.
    public var metric: String
    /// How the value was held against the threshold.
    public var comparison: AlertRule.Comparison
    /// What the value was held against.
    public var threshold: Double
    /// How bad it is.
    public var severity: AlertRule.Severity
    /// What it is about: a node, or a component and its node.
    public var subject: String
    /// The node.
    public var node: String
    /// A sentence for people.
    public var message: String
    /// The value that raised it.
    public var value: Double
    /// How it stands.
    public var status: Status
    /// When it was raised.
    public var triggeredAt: Timestamp
    /// When somebody said that they know of it.
    public var acknowledgedAt: Timestamp?
    /// When it was resolved.
    public var resolvedAt: Timestamp?
    /// Why it is resolved.
    public var resolution: Resolution?

    /// Its identifier as the API writes it.
    public var identifier: String { Identifier.text(.alert, uuid: id) }

    /// The alert as the API and webhooks show it.
    public var json: JSONObject {
        JSONObject([
            ("alert_id", .string(identifier)), ("rule_id", .string(Identifier.text(.rule, uuid: ruleID))),
            ("rule_name", .string(ruleName)), ("severity", .string(severity.rawValue)),
            ("status", .string(status.rawValue)), ("message", .string(message)), ("subject", .string(subject)),
            ("node", .string(node)), ("metric", .string(metric)), ("comparison", .string(comparison.rawValue)),
            ("threshold", .number(threshold)), ("value", .number(value)),
            ("triggered_at", .string(triggeredAt.rfc3339)), ("acknowledged_at", JSONValue(acknowledgedAt?.rfc3339)),
            ("resolved_at", JSONValue(resolvedAt?.rfc3339)), ("resolution", JSONValue(resolution?.rawValue)),
        ])
    }
}
