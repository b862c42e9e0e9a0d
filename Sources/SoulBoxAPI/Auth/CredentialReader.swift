internal import SoulBoxModel
internal import SoulBoxStore

/// Finds the credential that a request carries.
enum CredentialReader {
    /// The API key in `X-API-Key` or `Authorization: Bearer`, the former first.
    ///
    /// - Throws: 401 when there is none, or none that could be a key.
    static func credential(of request: HTTPRequest) throws(APIError) -> Credential {
        guard let text = text(of: request) else { throw .authenticationRequired("Authentication is required") }
        guard let key = APIKey(text) else { throw .authenticationRequired("The credential is not valid") }
        return Credential(keyID: key.id, secretHash: key.secretHash)
    }

    private static func text(of request: HTTPRequest) -> String? {
        if let key = request.header("X-API-Key"), !key.isEmpty { return key }
        guard let value = request.header("Authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        // The scheme's case does not matter (RFC 9110, section 11.1).
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}

extension APIError {
    /// No credential, or none that is good; a client learns no more than that.
    static func authenticationRequired(_ message: String) -> APIError {
        APIError(
            .authenticationRequired, message, headers: [.init("WWW-Authenticate", "Bearer realm=\"soulbox\"")])
    }
}

extension Admission {
    /// The caller who was let in.
    ///
    /// - Throws: 401 or 403.
    func caller() throws(APIError) -> Caller {
        switch self {
        case .admitted(let caller): return caller
        case .unauthenticated: throw .authenticationRequired("The credential is not valid")
        case .forbidden(let missing):
            throw APIError(
                .insufficientPermissions, "Insufficient permissions",
                details: JSONObject([("required", .string(missing.rawValue))]))
        }
    }
}
