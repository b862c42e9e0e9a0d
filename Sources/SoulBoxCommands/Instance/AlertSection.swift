import SoulBoxModel
import SoulBoxService

extension OperatorConfiguration {
    /// Alerts.
    struct Alerts: Decodable {
        /// Networks that webhooks may go to although they are private (list of CIDR; none).
        var allowPrivateWebhooks: [AddressRange] = []

        enum CodingKeys: String, CodingKey, CaseIterable {
            case allowPrivateWebhooks = "allow_private_webhooks"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            for text in try values.decodeIfPresent([String].self, forKey: .allowPrivateWebhooks) ?? [] {
                guard let range = AddressRange(text) else {
                    throw OperatorError(
                        "alerts.allow_private_webhooks has no network: \(text)", advice: "Write it as 10.1.0.0/16.")
                }
                allowPrivateWebhooks.append(range)
            }
        }

        /// Puts what is given in place of the defaults.
        func resolve(_ alerts: inout ServiceConfiguration.Alerts) { alerts.policy.allowed = allowPrivateWebhooks }
    }
}
