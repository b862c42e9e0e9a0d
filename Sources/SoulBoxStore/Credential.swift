public import SoulBoxModel

/// What a caller proves itself with.
public struct Credential: Sendable, Hashable {
    /// The key, 16 bytes.
    public var keyID: [UInt8]
    /// SHA-256 of the secret, 32 bytes; nil when a token stood in its place.
    public var secretHash: [UInt8]?
    /// What a token allows of what its key may; nil for a key, which allows all of it.
    public var only: Set<Permission>?
    /// From when on a token is good no more; nil for a key, of which the database knows that.
    public var expiresAt: Timestamp?

    /// A key and its secret.
    public init(keyID: [UInt8], secretHash: [UInt8]) {
        self.keyID = keyID
        self.secretHash = secretHash
    }

    /// A token whose signature has been verified, made for that key.
    public init(tokenOf keyID: [UInt8], only: Set<Permission>, expiresAt: Timestamp? = nil) {
        self.keyID = keyID
        self.only = only
        self.expiresAt = expiresAt
    }
}
