internal import SoulBoxModel
internal import SoulBoxStore

/// `/alerts/rules`: the conditions that raise alerts.
struct AlertRuleRoutes: Sendable {
    let platform: Platform
    let stores: AlertStores

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/alerts/rules", .permission(.monitorRead), .standard, list),
            Route("POST", "/api/alerts/rules", .permission(.alertWrite), .standard, create),
            Route("GET", "/api/alerts/rules/{rule_id}", .permission(.monitorRead), .standard, show),
            Route("PUT", "/api/alerts/rules/{rule_id}", .permission(.alertWrite), .standard, update),
            Route("DELETE", "/api/alerts/rules/{rule_id}", .permission(.alertWrite), .standard, remove),
        ]
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let page = query.page(.rule, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query { try stores.rules.list(page: page) }
        return Paging.response(
            "rules", listing.items.map { $0.json(isWhole: caller.may(.alertWrite)) }, total: listing.total, page,
            next: listing.items.last?.identifier, call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let rule = try platform.gate.query { try stores.rules.find(call.parameter("rule_id")) }
        guard let rule else { throw .notFound("rule") }
        return .json(rule.json(isWhole: caller.may(.alertWrite)))
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: AlertRuleBody.limit)
        var validation = Validation()
        let body = AlertRuleBody(object, isNew: true, within: stores.policy, &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        guard let name = body.name, let metric = body.metric, let comparison = body.comparison,
            let threshold = body.threshold, let severity = body.severity
        else { throw .internalError }
        let rule = try body.apply(
            to: AlertRule(
                name: name, metric: metric, comparison: comparison, threshold: threshold, forSeconds: 0,
                severity: severity), stores.seal)
        let response = try platform.once(call, caller, idempotency, status: 201) { transaction throws(APIError) in
            let made = try platform.gate.query { try stores.rules.create(rule, in: transaction) }
            guard let made else {
                throw APIError(.conflict, "There are \(AlertRuleStore.most) rules, as many as there may be")
            }
            return made.json(isWhole: true)
        }
        guard let id = (try? JSONParser.parse(response.body))?["rule_id"]?.stringValue else { return response }
        return response.adding(.init("Location", "/api/alerts/rules/\(id)"))
    }

    private func update(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: AlertRuleBody.limit)
        var validation = Validation()
        let body = AlertRuleBody(object, isNew: false, within: stores.policy, &validation)
        if let error = validation.error { throw error }
        return try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let changed = try platform.gate.query {
                try stores.rules.update(call.parameter("rule_id"), by: caller, in: transaction) { rule in
                    try body.apply(to: rule, stores.seal)
                }
            }
            guard let changed else { throw .notFound("rule") }
            return changed.json(isWhole: true)
        }
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let id = call.parameter("rule_id")
        return try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let isGone = try platform.gate.query { try stores.rules.delete(id, by: caller, in: transaction) }
            guard isGone else { throw .notFound("rule") }
            return ["rule_id": .string(id), "status": "deleted", "message": "Rule deleted successfully"]
        }
    }
}
