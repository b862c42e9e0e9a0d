internal import SoulBoxKeys
internal import SoulBoxModel
internal import SoulBoxStore

/// `/auth/api-keys`: the keys of an account.
struct KeyRoutes: Sendable {
    private static let bodyLimit = 64 << 10
    private static let createFields: Set<String> = ["name", "permissions", "expires_at", "rate_limits"]

    let platform: Platform

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/auth/api-keys", .anyone, .standard, create),
            Route("GET", "/api/auth/api-keys", .anyone, .standard, list),
            Route("GET", "/api/auth/api-keys/{key_id}", .anyone, .standard, show),
            Route("DELETE", "/api/auth/api-keys/{key_id}", .anyone, .standard, revoke),
            Route("POST", "/api/auth/api-keys/{key_id}/rotate", .anyone, .standard, rotate),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: KeyRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: KeyRoutes.createFields, &validation)
        let name = reader.requiredName("name", &validation)
        let permissions = KeyRoutes.permissions(reader, &validation)
        let expiresAt = reader.time("expires_at", &validation)
        let limits = KeyRoutes.limits(reader, &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        guard let name, let permissions else { throw .internalError }
        // A key can only grant what its creator has, and only the operator lifts limits.
        if let missing = permissions.first(where: { !caller.may($0) }) { throw .missing(missing) }
        if limits != nil, !caller.may(.admin) { throw .missing(.admin) }
        let key = APIKey()
        let response = try platform.once(call, caller, idempotency, status: 201) { transaction throws(APIError) in
            let made = try platform.gate.query {
                try platform.keys.create(
                    account: caller.accountID, credential: key.credential, name: name, permissions: permissions,
                    limits: limits ?? .init(), expiresAt: expiresAt, in: transaction)
            }
            guard let made else { throw .internalError }
            return made.json(secret: key.text)
        }
        guard let id = (try? JSONParser.parse(response.body))?["key_id"]?.stringValue else { return response }
        return response.adding(.init("Location", "/api/auth/api-keys/\(id)"))
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let page = query.page(.key, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query { try platform.keys.list(account: caller.accountID, page: page) }
        return Paging.response(
            "api_keys", listing.items.map { $0.json() }, total: listing.total, page,
            next: listing.items.last.map { Identifier.text(.key, uuid: $0.id) }, call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        .json(try find(call, try platform.gate.admit(call)).json())
    }

    private func revoke(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let key = try find(call, caller)
        try mayChange(key, caller)
        return try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let isRevoked = try platform.gate.query {
                try platform.keys.revoke(key.id, account: caller.accountID, in: transaction)
            }
            // Deleting what is deleted already is no error.
            _ = isRevoked
            return [
                "key_id": .string(Identifier.text(.key, uuid: key.id)), "status": "revoked",
                "message": "API key revoked successfully",
            ]
        }
    }

    private func rotate(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.optionalObject(of: call.request, limit: KeyRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["overlap"], &validation)
        let overlap = reader.integer("overlap", &validation) ?? 0
        if !(0...86_400).contains(overlap) { validation.fail("overlap", "Must be from 0 to 86400 seconds") }
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        let key = try find(call, caller)
        try mayChange(key, caller)
        let new = APIKey(newFor: key.id)
        return try platform.once(call, caller, idempotency, status: 200) { transaction throws(APIError) in
            let rotated = try platform.gate.query {
                try platform.keys.rotate(
                    new.credential, account: caller.accountID, overlapSeconds: overlap, in: transaction)
            }
            guard let rotated else { throw APIError(.conflict, "The key is revoked or belongs to another issuer") }
            return rotated.json(secret: new.text)
        }
    }

    private func find(_ call: Route.Call, _ caller: Caller) throws(APIError) -> AccountKey {
        guard let id = Identifier.parse(call.parameter("key_id"), .key),
            let key = try platform.gate.query({ try platform.keys.find(id, account: caller.accountID) })
        else { throw .notFound("API key") }
        return key
    }

    /// Whoever changes a key could take its place: it may have nothing that the caller has not.
    private func mayChange(_ key: AccountKey, _ caller: Caller) throws(APIError) {
        if let missing = key.permissions.first(where: { !caller.may($0) }) { throw .missing(missing) }
    }

    private static func permissions(_ reader: FieldReader, _ validation: inout Validation) -> [Permission]? {
        guard let values = reader.array("permissions", &validation) else {
            if reader.value("permissions") == nil { validation.fail("permissions", "Is required") }
            return nil
        }
        if values.isEmpty { validation.fail("permissions", "Must not be empty") }
        return reader.permissions("permissions", values, &validation)
    }

    private static func limits(_ reader: FieldReader, _ validation: inout Validation) -> AccountKey.RateLimits? {
        guard let object = reader.object("rate_limits", &validation) else { return nil }
        let inner = FieldReader(object, prefix: "rate_limits.")
        inner.refuseUnknown(except: ["standard", "execution", "upload"], &validation)
        var limits = AccountKey.RateLimits()
        limits.standard = Int(inner.bounded("standard", 0...1_000_000, &validation) ?? Int64(limits.standard))
        limits.execution = Int(inner.bounded("execution", 0...1_000_000, &validation) ?? Int64(limits.execution))
        limits.upload = Int(inner.bounded("upload", 0...1_000_000, &validation) ?? Int64(limits.upload))
        return limits
    }
}

extension AccountKey {
    /// The key as the API shows it; with its secret once, when it has just been made.
    func json(secret: String? = nil) -> JSONValue {
        var object = JSONObject([
            ("key_id", .string(Identifier.text(.key, uuid: id))), ("name", .string(name)),
            ("permissions", .array(permissions.map { .string($0.rawValue) })),
            ("created_at", .string(createdAt.rfc3339)), ("expires_at", JSONValue(expiresAt?.rfc3339)),
            ("last_used_at", JSONValue(lastUsedAt?.rfc3339)), ("revoked_at", JSONValue(revokedAt?.rfc3339)),
            (
                "rate_limits",
                [
                    "standard": JSONValue(limits.standard), "execution": JSONValue(limits.execution),
                    "upload": JSONValue(limits.upload),
                ]
            ),
        ])
        if let secret { object["key"] = .string(secret) }
        return .object(object)
    }
}

extension APIError {
    /// The caller lacks a permission.
    static func missing(_ permission: Permission) -> APIError {
        APIError(
            .insufficientPermissions, "Insufficient permissions",
            details: JSONObject([("required", .string(permission.rawValue))]))
    }
}
