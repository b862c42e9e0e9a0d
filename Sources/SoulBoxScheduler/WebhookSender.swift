internal import Glibc
internal import LinuxKernel
public import Logging
internal import Postgres
public import SoulBoxKeys
public import SoulBoxModel
public import SoulBoxStore

/// Sends what rules of alerts are to tell others. Several processes may: each delivery is taken by one, and by another when
/// that one does not say in time what came of it.
public final class WebhookSender: Sendable {
    /// Deliveries at once: receivers that do not answer hold up few others.
    private static let places = 8
    /// The first pause before another attempt; each is four times the one before: eight attempts in about three hours.
    private static let firstPauseMilliseconds: Int64 = 2000

    private let store: WebhookStore
    private let attempt: WebhookAttempt
    private let log: Logger
    private let queue: JobQueue<WebhookDelivery>

    /// Makes one.
    ///
    /// - Parameters:
    ///   - policy: Where webhooks may go.
    ///   - seal: Opens the secrets.
    public init(
        databaseURL: String, store: WebhookStore, policy: WebhookPolicy, seal: WebhookSeal, version: String, log: Logger
    ) {
        self.store = store
        attempt = WebhookAttempt(policy: policy, seal: seal, version: version)
        self.log = log
        queue = JobQueue(
            "webhooks", databaseURL: databaseURL, channel: WebhookStore.channel, places: WebhookSender.places, log: log
        ) { try store.take() }
    }

    /// Starts its thread.
    public func start() { queue.start { [self] in send($0) } }

    /// Takes nothing more, and waits for what is being sent, so many seconds at most.
    public func stop(within seconds: UInt64) {
        queue.stop(until: MonotonicClock.now + seconds * 1_000_000_000)
    }

    private func send(_ delivery: WebhookDelivery) {
        let outcome = attempt.deliver(delivery)
        do {
            switch outcome {
            case .taken(let status): try store.finish(delivery, httpStatus: status)
            case .failed(let status, let reason):
                log.warning(
                    "webhook not delivered",
                    metadata: [
                        "delivery.id": "\(delivery.identifier)", "attempt": "\(delivery.attempts)",
                        "reason": "\(reason)",
                    ])
                try store.fail(
                    delivery, httpStatus: status, error: reason,
                    againAfterMilliseconds: WebhookSender.pause(after: delivery.attempts))
            }
        } catch {
            // Its lease ends, and somebody sends it again: receivers tell by its identifier.
            log.warning(
                "the end of a webhook is not noted",
                metadata: ["delivery.id": "\(delivery.identifier)", "error": "\(error)"])
        }
    }

    /// How long after that many attempts another is made: between half of the pause and all of it, so that what failed
    /// together does not come back together.
    static func pause(after attempts: Int64) -> Int64 {
        let whole = firstPauseMilliseconds << (2 * min(max(attempts, 1) - 1, 8))
        return Int64.random(in: whole / 2...whole)
    }
}
