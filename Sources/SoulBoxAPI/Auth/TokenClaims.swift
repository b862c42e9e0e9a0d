internal import SoulBoxModel

/// A JSON Web Token (RFC 7519) in its compact form (RFC 7515, section 3.1), taken apart and not yet believed.
struct TokenClaims {
    /// Larger tokens are refused unread.
    static let maximumLength = 8192

    /// The algorithm that its header names.
    let algorithm: String
    /// The key that its header names.
    let keyID: String
    /// What it claims.
    let claims: JSONObject
    /// The bytes that the signature is over.
    let signedBytes: [UInt8]
    /// The signature.
    let signature: [UInt8]

    /// Reads a token; nil when it has not the shape of one that could be good.
    ///
    /// A header that wants an extension (`crit`) is refused as RFC 7515, section 4.1.11 demands; `jku`, `jwk`, `x5u` and
    /// `x5c`, by which a token would name its own key, are not looked at.
    init?(_ text: String) {
        guard text.utf8.count <= TokenClaims.maximumLength else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = TokenClaims.object(parts[0]), let claims = TokenClaims.object(parts[1]),
            let signature = Base64URL.decode(parts[2]), !signature.isEmpty,
            let algorithm = header["alg"]?.stringValue, let keyID = header["kid"]?.stringValue, header["crit"] == nil
        else { return nil }
        if let type = header["typ"], type.stringValue?.uppercased() != "JWT" { return nil }
        self.algorithm = algorithm
        self.keyID = keyID
        self.claims = claims
        self.signature = signature
        signedBytes = Array("\(parts[0]).\(parts[1])".utf8)
    }

    /// Whether its time has come and is not over, with a minute for clocks that differ (RFC 7519, sections 4.1.4, 4.1.5).
    func isCurrent(_ now: Timestamp = .now, leewaySeconds: Double = 60) -> Bool {
        let seconds = Double(now.microseconds) / 1_000_000
        guard let expiry = claims["exp"]?.numberValue, seconds < expiry + leewaySeconds else { return false }
        for name in ["nbf", "iat"] {
            guard let value = claims[name] else { continue }
            guard let moment = value.numberValue, seconds > moment - leewaySeconds else { return false }
        }
        return true
    }

    /// From when on it is not current, with the same allowance; nil when it does not say.
    func expiry(leewaySeconds: Double = 60) -> Timestamp? {
        guard let expiry = claims["exp"]?.numberValue else { return nil }
        // Nobody's clock goes as far as the numbers that a claim can hold.
        return Timestamp(microseconds: Int64(min(max(expiry + leewaySeconds, 0), 1e11) * 1_000_000))
    }

    /// Whether it is meant for that audience (RFC 7519, section 4.1.3).
    func isFor(_ audience: String) -> Bool {
        switch claims["aud"] {
        case .string(let value)?: value == audience
        case .array(let values)?: values.contains(.string(audience))
        default: false
        }
    }

    private static func object(_ part: Substring) -> JSONObject? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        return (try? JSONParser.parse(bytes))?.objectValue
    }
}
