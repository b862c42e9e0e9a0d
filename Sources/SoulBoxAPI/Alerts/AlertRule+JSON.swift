internal import SoulBoxModel
internal import SoulBoxStore

extension AlertRule {
    /// The rule as the API shows it. The webhook's secret is shown to nobody.
    ///
    /// - Parameter isWhole: Whether the whole URL is shown: path and query may hold a secret of the receiver's.
    func json(isWhole: Bool) -> JSONValue {
        var shown = JSONValue.null
        if let webhook {
            let url = isWhole ? webhook.url : (try? WebhookURL(webhook.url))?.origin
            shown = ["url": JSONValue(url), "has_secret": true]
        }
        return [
            "rule_id": .string(identifier), "name": .string(name), "metric": .string(metric),
            "comparison": .string(comparison.rawValue), "threshold": .number(threshold),
            "for": .string(TimeSpan.text(forSeconds)), "severity": .string(severity.rawValue),
            "enabled": .bool(isEnabled), "webhook": shown, "created_at": .string(createdAt.rfc3339),
            "updated_at": .string(updatedAt.rfc3339),
        ]
    }
}
