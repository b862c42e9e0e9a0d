/// How a program ended, with what tells a person why.
public struct Termination: Sendable, Equatable {
    /// Why it ended.
    public var reason: TerminationReason

    /// The signal that ended it, as `SIGSEGV`.
    public var signal: String?

    /// A sentence for people, where the reason alone does not say enough.
    public var detail: String?

    /// Makes a termination.
    public init(reason: TerminationReason, signal: String? = nil, detail: String? = nil) {
        self.reason = reason
        self.signal = signal
        self.detail = detail
    }
}
