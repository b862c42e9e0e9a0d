/// What the database says of a ticket.
public struct Admission: Sendable, Equatable {
    /// Whether the request is let in, and why not.
    public enum Outcome: Sendable, Equatable {
        case admitted(Caller)
        /// Unknown, wrong, expired or revoked; nobody learns which.
        case unauthenticated
        /// Unauthenticated once too often from that address.
        case throttled
        /// The limit of the minute is used up.
        case limited
        case forbidden(missing: Permission)
        /// The account that an administrator wanted to work for does not exist.
        case noAccount
        /// A quota of the account is used up; worth another attempt after so many seconds.
        case quota(name: String, retryAfterSeconds: Int)
        /// The Idempotency-Key stands for an execution that was noted before.
        case repeated(execution: String, Caller)
        /// The Idempotency-Key stands for another request.
        case mismatched
        /// The account has no such sandbox.
        case noSandbox
        /// The sandbox does not run; this is how it stands.
        case sandboxNotRunning(status: String)
    }

    /// The outcome.
    public var outcome: Outcome
    /// How the caller stands with the limit; nil when it has none, or is nobody.
    public var rate: RateState?

    /// Makes an admission.
    public init(_ outcome: Outcome, rate: RateState? = nil) {
        self.outcome = outcome
        self.rate = rate
    }
}
