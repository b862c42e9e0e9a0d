public import SoulBoxModel

/// What soulbox-egress is told: policies that are new or changed, and sandboxes that have none any more.
public struct EgressUpdate: Sendable, Equatable {
    /// New or changed policies.
    public var policies: [EgressPolicy]
    /// Sandboxes without a policy.
    public var removed: [String]
    /// Whether everything that has happened so far is told with this.
    public var isComplete: Bool

    /// Makes an update.
    public init(policies: [EgressPolicy], removed: [String], isComplete: Bool) {
        self.policies = policies
        self.removed = removed
        self.isComplete = isComplete
    }

    /// The reply's parameters.
    public var json: JSONValue {
        [
            "policies": .array(policies.map(\.json)), "removed": .array(removed.map(JSONValue.string)),
            "complete": .bool(isComplete),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let values = json["policies"]?.arrayValue, let names = json["removed"]?.arrayValue,
            let isComplete = json["complete"]?.boolValue
        else { return nil }
        let policies = values.compactMap(EgressPolicy.init(json:))
        let removed = names.compactMap(\.stringValue)
        guard policies.count == values.count, removed.count == names.count else { return nil }
        self.init(policies: policies, removed: removed, isComplete: isComplete)
    }
}
