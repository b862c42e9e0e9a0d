/// Somebody else who signs tokens for this service's users, as the operator's configuration names them.
public struct TokenIssuer: Sendable, Equatable {
    /// What the claim `iss` says.
    public var issuer: String
    /// What the claim `aud` must say.
    public var audience: String
    /// The file that holds the issuer's public keys (RFC 7517); each needs `kid` and `alg`.
    public var keyFile: String

    /// Makes an issuer.
    public init(issuer: String, audience: String, keyFile: String) {
        self.issuer = issuer
        self.audience = audience
        self.keyFile = keyFile
    }
}
