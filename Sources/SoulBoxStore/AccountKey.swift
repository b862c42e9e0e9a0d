public import SoulBoxModel

/// A key as it is listed; its secret is known to nobody here.
public struct AccountKey: Sendable, Equatable {
    /// Requests a minute; 0 is unlimited.
    public struct RateLimits: Sendable, Equatable {
        /// Of the ordinary endpoints.
        public var standard = 100
        /// Of executions.
        public var execution = 20
        /// Of uploads.
        public var upload = 10

        /// The API's defaults.
        public init() {}
    }

    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// Its account's name.
    public var account: String
    /// Its name.
    public var name: String
    /// What it may do.
    public var permissions: [Permission]
    /// Its limits.
    public var limits: RateLimits
    /// When it was made.
    public var createdAt: Timestamp
    /// When it ends, if it does.
    public var expiresAt: Timestamp?
    /// When it was revoked, if it was.
    public var revokedAt: Timestamp?
    /// When it was last used, to the minute.
    public var lastUsedAt: Timestamp?
}
