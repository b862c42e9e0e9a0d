internal import SoulBoxStore

/// What becomes known of a request while it is answered; for the thread that answers it.
final class RequestContext {
    /// The line of the route table that answers it, by number; nil when none does.
    var route: Int?
    /// The limit that it counts against.
    var rateClass: RateClass = .standard
    /// How the caller stands with its limit.
    var rate: RateState?
    /// What it was sent with, once that is read.
    var credential: Credential?
    /// Who it comes from, once that is known.
    var caller: Caller?
    /// Whether its line in the audit log is written already, together with what it changed.
    var isAudited = false
}
