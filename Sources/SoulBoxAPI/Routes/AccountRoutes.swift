internal import SoulBoxModel
internal import SoulBoxStore

/// `/account` and `/accounts`: who owns things, and how much of them.
struct AccountRoutes: Sendable {
    private static let quotaFields: Set<String> = [
        "concurrent_executions", "sandboxes", "disk_bytes", "cpu_seconds_per_day", "templates", "snapshots",
        "snapshot_bytes",
    ]

    let platform: Platform

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/account", .anyone, .standard, own),
            Route("GET", "/api/accounts", .permission(.admin), .standard, list),
            Route("POST", "/api/accounts", .permission(.admin), .standard, create),
            Route("GET", "/api/accounts/{account_id}", .permission(.admin), .standard, show),
            Route("PUT", "/api/accounts/{account_id}", .permission(.admin), .standard, update),
        ]
    }

    private func own(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        guard let account = try platform.gate.query({ try platform.accounts.find(caller.accountID) }) else {
            throw .notFound("account")
        }
        return .json(account.json)
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let page = query.page(.account, &validation)
        query.refuseUnread(&validation)
        _ = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query { try platform.accounts.list(page) }
        return Paging.response(
            "accounts", listing.items.map(\.json), total: listing.total, page,
            next: listing.items.last.map { Identifier.text(.account, uuid: $0.id) }, call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        _ = try platform.gate.admit(call)
        return .json(try find(call).json)
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: 64 << 10)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["name", "quotas"], &validation)
        let name = reader.requiredName("name", &validation)
        let quotas = AccountRoutes.quotas(reader, .init(), &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        guard let name else { throw .internalError }
        let response = try platform.once(call, caller, idempotency, status: 201) { transaction throws(APIError) in
            let made = try platform.gate.query {
                try platform.accounts.create(name: name, quotas: quotas, in: transaction)
            }
            guard let made else { throw .nameTaken }
            return made.json
        }
        guard let id = (try? JSONParser.parse(response.body))?["account_id"]?.stringValue else { return response }
        return response.adding(.init("Location", "/api/accounts/\(id)"))
    }

    private func update(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let account = try find(call)
        let object = try JSONBody.object(of: call.request, limit: 64 << 10)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["name", "quotas"], &validation)
        let name = reader.name("name", &validation) ?? account.name
        let quotas = AccountRoutes.quotas(reader, account.quotas, &validation)
        if let error = validation.error { throw error }
        return try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let changed = try platform.gate.query {
                try platform.accounts.update(account.id, name: name, quotas: quotas, in: transaction)
            }
            guard let changed else { throw .nameTaken }
            return changed.json
        }
    }

    private func find(_ call: Route.Call) throws(APIError) -> Account {
        guard let id = Identifier.parse(call.parameter("account_id"), .account),
            let account = try platform.gate.query({ try platform.accounts.find(id) })
        else { throw .notFound("account") }
        return account
    }

    /// The quotas that result: a name that is absent keeps its value, `null` lifts it.
    private static func quotas(
        _ reader: FieldReader, _ present: Account.Quotas, _ validation: inout Validation
    ) -> Account.Quotas {
        guard let object = reader.object("quotas", &validation) else { return present }
        let inner = FieldReader(object, prefix: "quotas.")
        inner.refuseUnknown(except: quotaFields, &validation)
        var quotas = present
        func read(_ name: String, _ value: inout Int64?, maximum: Int64 = 1_000_000_000) {
            guard let given = object[name] else { return }
            value = given.isNull ? nil : inner.bounded(name, 0...maximum, &validation)
        }
        read("concurrent_executions", &quotas.concurrentExecutions)
        read("sandboxes", &quotas.sandboxes)
        read("disk_bytes", &quotas.diskBytes, maximum: 1 << 60)
        read("cpu_seconds_per_day", &quotas.cpuSecondsPerDay)
        read("templates", &quotas.templates)
        read("snapshots", &quotas.snapshots)
        read("snapshot_bytes", &quotas.snapshotBytes, maximum: 1 << 60)
        return quotas
    }
}

extension Account {
    /// The account as the API shows it.
    var json: JSONValue {
        [
            "account_id": .string(Identifier.text(.account, uuid: id)), "name": .string(name),
            "created_at": .string(createdAt.rfc3339),
            "quotas": [
                "concurrent_executions": JSONValue(quotas.concurrentExecutions),
                "sandboxes": JSONValue(quotas.sandboxes), "disk_bytes": JSONValue(quotas.diskBytes),
                "cpu_seconds_per_day": JSONValue(quotas.cpuSecondsPerDay), "templates": JSONValue(quotas.templates),
                "snapshots": JSONValue(quotas.snapshots), "snapshot_bytes": JSONValue(quotas.snapshotBytes),
            ],
            "usage": [
                "executions_running": .integer(executionsRunning), "sandboxes": .integer(sandboxes),
                "disk_bytes": .integer(diskBytes),
                "templates": .integer(templates), "snapshots": .integer(snapshots),
                "snapshot_bytes": .integer(snapshotBytes),
                "cpu_seconds_today": .number(Double(cpuTodayMicroseconds) / 1_000_000),
            ],
        ]
    }
}

extension APIError {
    /// Another account has that name.
    static var nameTaken: APIError {
        APIError(
            .conflict, "An account of this name exists",
            details: JSONObject([("field", "name"), ("reason", "Is the name of another account")]))
    }
}
