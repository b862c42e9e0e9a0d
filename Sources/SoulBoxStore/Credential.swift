/// What a caller proves itself with: the key's identifier, and the SHA-256 of its secret.
public struct Credential: Sendable, Equatable {
    /// The key, 16 bytes.
    public var keyID: [UInt8]
    /// SHA-256 of the secret, 32 bytes.
    public var secretHash: [UInt8]

    /// Makes a credential.
    public init(keyID: [UInt8], secretHash: [UInt8]) {
        self.keyID = keyID
        self.secretHash = secretHash
    }
}
