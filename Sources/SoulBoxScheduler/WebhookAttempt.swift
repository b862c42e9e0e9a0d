internal import LinuxKernel
internal import SoulBoxKeys
internal import SoulBoxModel
internal import SoulBoxStore

/// One attempt to deliver a webhook.
struct WebhookAttempt {
    /// What came of it.
    enum Outcome: Equatable {
        case taken(status: Int)
        case failed(status: Int?, reason: String)
    }

    /// How many addresses of a name are tried.
    private static let addresses = 3

    let policy: WebhookPolicy
    let seal: WebhookSeal
    let version: String

    /// Makes it.
    func deliver(_ delivery: WebhookDelivery) -> Outcome {
        // What was allowed when the rule was made need not be any more.
        guard let url = try? WebhookURL(delivery.url) else { return .failed(status: nil, reason: "the URL is no good") }
        let allowed: [[UInt8]]
        switch reach(url) {
        case .success(let addresses): allowed = addresses
        case .failure(let problem): return .failed(status: nil, reason: problem.reason)
        }
        guard let secret = try? seal.open(delivery.sealedSecret, rule: delivery.ruleID) else {
            return .failed(status: nil, reason: "the secret cannot be read: this machine has another key")
        }
        let seconds = Timestamp.now.microseconds / 1_000_000
        let headers: [(name: String, value: String)] = [
            ("Content-Type", "application/json"), ("User-Agent", "SoulBox/\(version)"),
            ("X-SoulBox-Delivery", delivery.identifier),
            (
                "X-SoulBox-Signature",
                WebhookSignature.header(secret: secret, at: seconds, body: Array(delivery.body.utf8))
            ),
        ]
        var outcome = CurlRequest.Outcome(status: nil, code: 7)
        for address in allowed {
            do throws(SystemCallError) {
                outcome = try CurlRequest(url: url, address: address, headers: headers, body: delivery.body).send()
            } catch {
                return .failed(status: nil, reason: "curl cannot be started")
            }
            // Another address only while nobody can have got it.
            guard outcome.isUnconnected else { break }
        }
        if outcome.isTaken, let status = outcome.status { return .taken(status: status) }
        return .failed(status: outcome.status, reason: outcome.problem)
    }

    /// The addresses that a URL leads to, each of them checked: the connection is made to one of these and asks nobody again.
    func reach(_ url: WebhookURL) -> Result<[[UInt8]], WebhookURL.Problem> {
        let found: [[UInt8]]
        switch url.host {
        case .address(let address): found = [address]
        case .name(let name): found = AddressLookup.addresses(of: name)
        }
        guard !found.isEmpty else { return .failure(.init(reason: "the name has no address")) }
        let allowed = found.filter { address in
            policy.isAllowedByOperator(address) || policy.allows(address) && !AddressLookup.isOwn(address)
        }
        guard !allowed.isEmpty else {
            return .failure(.init(reason: "the host's address is private or this machine's own"))
        }
        return .success(Array(allowed.prefix(WebhookAttempt.addresses)))
    }
}
