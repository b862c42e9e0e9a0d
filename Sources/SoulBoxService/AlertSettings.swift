public import SoulBoxModel

extension ServiceConfiguration {
    /// The alerts of the instance.
    public struct Alerts: Sendable, Equatable {
        /// Where webhooks may go; default public addresses alone.
        public var policy = WebhookPolicy()

        /// The defaults.
        public init() {}
    }
}

extension ServiceConfiguration.Alerts {
    var json: JSONValue {
        ["allow_private_webhooks": .array(policy.allowed.map { .string($0.description) })]
    }

    init(json: JSONValue) throws(ServiceConfiguration.Malformed) {
        self.init()
        guard let networks = json["allow_private_webhooks"]?.arrayValue else {
            throw ServiceConfiguration.Malformed(key: "alerts.allow_private_webhooks")
        }
        for network in networks {
            guard let range = network.stringValue.flatMap(AddressRange.init) else {
                throw ServiceConfiguration.Malformed(key: "alerts.allow_private_webhooks")
            }
            policy.allowed.append(range)
        }
    }
}
