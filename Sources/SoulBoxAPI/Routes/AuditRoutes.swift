internal import SoulBoxModel
internal import SoulBoxStore

/// `/audit`: who changed what.
struct AuditRoutes: Sendable {
    let platform: Platform

    /// The lines of the route table.
    var routes: [Route] { [Route("GET", "/api/audit", .permission(.admin), .standard, list)] }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let since = query.time("since", &validation)
        var until = query.time("until", &validation)
        let page = query.page(.audit, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        if page.cursor == nil, until == nil { until = .now }
        // All accounts, unless the administrator works for one.
        let account = call.request.header("X-Account-ID") == nil ? nil : caller.accountID
        let listing = try platform.gate.query { [until] in
            try platform.audit.list(account: account, since: since, until: until, page: page)
        }
        return Paging.response(
            "entries", listing.items.map(\.json), total: listing.total, page,
            next: listing.items.last.map { Identifier.text(.audit, uuid: $0.id) }, call.request,
            also: until.map { [("until", $0.rfc3339)] } ?? [])
    }
}

extension AuditEntry {
    /// The entry as the API shows it.
    var json: JSONValue {
        [
            "audit_id": .string(Identifier.text(.audit, uuid: id)), "at": .string(at.rfc3339),
            "account_id": JSONValue(accountID.map { Identifier.text(.account, uuid: $0) }),
            "key_id": JSONValue(keyID.map { Identifier.text(.key, uuid: $0) }), "request_id": .string(requestID),
            "address": .string(address), "method": .string(method), "path": .string(path),
            "status": JSONValue(status),
        ]
    }
}
