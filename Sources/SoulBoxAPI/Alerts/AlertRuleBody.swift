internal import SoulBoxKeys
internal import SoulBoxModel
internal import SoulBoxStore

/// The body of `POST /alerts/rules` and `PUT /alerts/rules/{id}`, checked.
struct AlertRuleBody {
    /// What becomes of a rule's webhook.
    enum Webhook {
        case unchanged
        case removed
        /// Without a secret the rule keeps the one that it has.
        case given(url: WebhookURL, secret: String?)
    }

    /// Bytes of a body.
    static let limit = 64 << 10
    /// The longest time that a condition can be asked to hold, in seconds: a quarter of what is kept.
    private static let longest: Int64 = 6 * 3600
    private static let secretBytes = 16...256

    private(set) var name: String?
    private(set) var metric: String?
    private(set) var comparison: AlertRule.Comparison?
    private(set) var threshold: Double?
    private(set) var forSeconds: Int64?
    private(set) var severity: AlertRule.Severity?
    private(set) var isEnabled: Bool?
    private(set) var webhook = Webhook.unchanged

    /// Reads it; what is wrong is noted.
    ///
    /// - Parameter isNew: Whether fields without a default must be there.
    init(_ object: JSONObject, isNew: Bool, within policy: WebhookPolicy, _ validation: inout Validation) {
        let reader = FieldReader(object)
        reader.refuseUnknown(
            except: ["name", "metric", "comparison", "threshold", "for", "severity", "enabled", "webhook"], &validation)
        if isNew {
            for field in ["name", "metric", "comparison", "threshold", "severity"] where reader.value(field) == nil {
                validation.fail(field, "Is required")
            }
        }
        name = reader.name("name", &validation)
        metric = reader.string("metric", &validation)
        if let metric, !AlertMetric.names.contains(metric) {
            validation.fail("metric", "Must be one of: " + AlertMetric.names.joined(separator: ", "))
        }
        comparison = reader.choice("comparison", &validation)
        threshold = reader.number("threshold", &validation)
        if let threshold, !(threshold.isFinite && abs(threshold) <= 1e15) {
            validation.fail("threshold", "Must be from -1e15 to 1e15")
        }
        if let text = reader.string("for", &validation) {
            forSeconds = TimeSpan.parse(text)
            if !(0...AlertRuleBody.longest).contains(forSeconds ?? -1) {
                validation.fail("for", "Must be a time such as \"30s\" or \"5m\", from 0s to 6h")
            }
        }
        severity = reader.choice("severity", &validation)
        isEnabled = reader.bool("enabled", &validation)
        readWebhook(object, reader, isNew: isNew, policy, &validation)
    }

    private mutating func readWebhook(
        _ object: JSONObject, _ reader: FieldReader, isNew: Bool, _ policy: WebhookPolicy,
        _ validation: inout Validation
    ) {
        // The one field whose null is no absence: it takes the webhook away.
        if object["webhook"]?.isNull == true { webhook = .removed }
        guard let given = reader.object("webhook", &validation) else { return }
        let inner = FieldReader(given, prefix: "webhook.")
        inner.refuseUnknown(except: ["url", "secret"], &validation)
        for field in isNew ? ["url", "secret"] : ["url"] where inner.value(field) == nil {
            validation.fail(inner.path(field), "Is required")
        }
        var secret: String?
        if let value = inner.value("secret") {
            secret = FieldReader.plainText(
                value, "webhook.secret", atMost: AlertRuleBody.secretBytes.upperBound, &validation)
            if let secret, secret.utf8.count < AlertRuleBody.secretBytes.lowerBound {
                validation.fail("webhook.secret", "Must be at least \(AlertRuleBody.secretBytes.lowerBound) bytes long")
            }
        }
        guard let text = inner.string("url", &validation) else { return }
        do throws(WebhookURL.Problem) {
            let url = try WebhookURL(text)
            // A name is looked up when something is sent, each time; an address says at once what it is.
            if case .address(let address) = url.host, !policy.allows(address) {
                validation.fail("webhook.url", "Must not be a private address")
            }
            webhook = .given(url: url, secret: secret)
        } catch {
            validation.fail("webhook.url", error.reason)
        }
    }

    /// A rule with what was given, over what it was before.
    ///
    /// - Throws: 400 when a webhook has no secret.
    func apply(to rule: AlertRule, _ seal: WebhookSeal) throws(APIError) -> AlertRule {
        var rule = rule
        rule.name = name ?? rule.name
        rule.metric = metric ?? rule.metric
        rule.comparison = comparison ?? rule.comparison
        rule.threshold = threshold ?? rule.threshold
        rule.forSeconds = forSeconds ?? rule.forSeconds
        rule.severity = severity ?? rule.severity
        rule.isEnabled = isEnabled ?? rule.isEnabled
        switch webhook {
        case .unchanged: break
        case .removed: rule.webhook = nil
        case .given(let url, let secret):
            let sealed: [UInt8]?
            if let secret {
                sealed = try? seal.seal(secret, rule: rule.id)
                if sealed == nil { throw .internalError }
            } else {
                sealed = rule.webhook?.sealedSecret
            }
            guard let sealed else {
                var validation = Validation()
                validation.fail("webhook.secret", "Is required")
                throw validation.error ?? .internalError
            }
            rule.webhook = AlertRule.Webhook(url: url.description, sealedSecret: sealed)
        }
        return rule
    }
}
