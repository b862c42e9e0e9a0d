/// What a caller proves itself with.
public struct Credential: Sendable, Equatable {
    /// The key, 16 bytes.
    public var keyID: [UInt8]
    /// SHA-256 of the secret, 32 bytes; nil when a token stood in its place.
    public var secretHash: [UInt8]?
    /// What a token allows of what its key may; nil for a key, which allows all of it.
    public var only: Set<Permission>?

    /// A key and its secret.
    public init(keyID: [UInt8], secretHash: [UInt8]) {
        self.keyID = keyID
        self.secretHash = secretHash
    }

    /// A token whose signature has been verified, made for that key.
    public init(tokenOf keyID: [UInt8], only: Set<Permission>) {
        self.keyID = keyID
        self.only = only
    }
}
