/// Which of a key's limits a request counts against.
public enum RateClass: String, Sendable, CaseIterable {
    /// Ordinary requests; 100 a minute.
    case standard
    /// Requests that run code; 20 a minute.
    case execution
    /// Uploads; 10 a minute.
    case upload
}

/// How a caller stands with a limit, as the `X-RateLimit-…` headers tell it.
public struct RateState: Sendable, Equatable {
    /// Requests a minute.
    public var limit: Int
    /// How many are left in this minute.
    public var remaining: Int
    /// When the next minute begins, in seconds since 1970.
    public var resetAt: Int64

    /// Makes a state.
    public init(limit: Int, remaining: Int, resetAt: Int64) {
        self.limit = limit
        self.remaining = remaining
        self.resetAt = resetAt
    }
}
