internal import SoulBoxModel
internal import SoulBoxStore
internal import Synchronization

/// What letting a caller in has told, for what comes after: the answer that begins a live connection or refuses it, and later
/// looks at whether the credential is still good.
final class AdmissionNote: Sendable {
    private let state = Mutex<(rate: RateState?, credential: Credential?)>((nil, nil))

    /// Notes what is known of a request now.
    func set(_ context: RequestContext) { state.withLock { $0 = (context.rate, context.credential) } }

    /// How the caller stands with its limit; nil where there is none.
    var rate: RateState? { state.withLock { $0.rate } }

    /// What the caller was let in with.
    var credential: Credential? { state.withLock { $0.credential } }
}

extension RateState {
    /// The field that tells the web server; clients get three others in its place.
    var field: APIError.Header { .init(API.rateHeader, "\(limit) \(remaining) \(resetAt)") }
}
