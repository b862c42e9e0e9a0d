internal import SoulBoxModel
internal import SoulBoxStore

/// `/auth/token` and `/auth/jwks.json`: short-lived tokens in place of a key.
struct TokenRoutes: Sendable {
    let platform: Platform

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/auth/token", .anyone, .standard, create),
            Route("GET", "/api/auth/jwks.json", .open, .standard, keys),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let ticket = try platform.gate.ticket(call)
        let caller = try platform.gate.admit(call)
        let (object, _) = try JSONBody.optionalObject(of: call.request, limit: 16 << 10)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["permissions", "expires_in"], &validation)
        let longest = TokenVerifier.maximumLifetime
        let lifetime = reader.bounded("expires_in", 1...longest, &validation) ?? longest
        let wanted = reader.array("permissions", &validation).map {
            reader.permissions("permissions", $0, &validation)
        }
        if let error = validation.error { throw error }
        // Otherwise a token would live for as long as its holder likes.
        guard ticket.credential.secretHash != nil else {
            throw APIError(.insufficientPermissions, "A token is made with an API key, not with a token")
        }
        if let missing = wanted?.first(where: { !caller.may($0) }) { throw .missing(missing) }
        let permissions = wanted ?? Permission.allCases.filter { caller.permissions.contains($0) }
        let now = Timestamp.now
        guard
            let token = platform.tokens.issue(
                key: caller.keyID, permissions: permissions, lifetime: lifetime, now: now)
        else { throw .unavailable }
        let end = Timestamp(microseconds: (now.microseconds / 1_000_000 + lifetime) * 1_000_000)
        return .json([
            "token": .string(token), "token_type": "Bearer", "expires_in": .integer(lifetime),
            "expires_at": .string(end.rfc3339), "permissions": .array(permissions.map { .string($0.rawValue) }),
        ])
    }

    private func keys(_ call: Route.Call) throws(APIError) -> HTTPResponse { .json(platform.tokens.publicKeys) }
}
