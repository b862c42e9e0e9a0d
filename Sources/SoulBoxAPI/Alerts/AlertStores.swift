public import SoulBoxKeys
public import SoulBoxModel
public import SoulBoxStore

/// What the routes around alerts need of the service.
public struct AlertStores: Sendable {
    let alerts: AlertStore
    let rules: AlertRuleStore
    let seal: WebhookSeal
    let policy: WebhookPolicy

    /// Puts it together.
    ///
    /// - Parameters:
    ///   - seal: Encrypts the secrets of webhooks.
    ///   - policy: Where webhooks may go.
    public init(alerts: AlertStore, rules: AlertRuleStore, seal: WebhookSeal, policy: WebhookPolicy) {
        self.alerts = alerts
        self.rules = rules
        self.seal = seal
        self.policy = policy
    }
}
