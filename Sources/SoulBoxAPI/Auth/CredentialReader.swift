internal import SoulBoxKeys
internal import SoulBoxModel
internal import SoulBoxStore

/// Finds the credential that a request carries.
struct CredentialReader: Sendable {
    /// What no key has: a credential that cannot be one is refused by the database like a wrong one, and counted there.
    private static let nobody = Credential(
        keyID: [UInt8](repeating: 0, count: 16), secretHash: [UInt8](repeating: 0, count: 32))

    let tokens: TokenVerifier

    /// The API key in `X-API-Key`, or the key or token in `Authorization: Bearer`, the former first.
    ///
    /// - Throws: 401 when there is none; 503 when whose token it is cannot be looked up.
    func credential(of request: HTTPRequest) throws(APIError) -> Credential {
        guard let text = text(of: request) else { throw .authenticationRequired("Authentication is required") }
        if let key = APIKey(text) { return key.credential }
        return try tokens.credential(of: text) ?? CredentialReader.nobody
    }

    private func text(of request: HTTPRequest) -> String? {
        if let key = request.header("X-API-Key"), !key.isEmpty { return key }
        guard let value = request.header("Authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        // The scheme's case does not matter (RFC 9110, section 11.1).
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
