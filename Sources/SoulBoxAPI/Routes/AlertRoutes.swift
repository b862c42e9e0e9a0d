internal import SoulBoxModel
internal import SoulBoxStore

/// `/alerts`: what the rules have found, and what people say of it. Alerts are about the installation, whatever account
/// looks at them.
struct AlertRoutes: Sendable {
    private static let bodyLimit = 64 << 10
    private static let commentBytes = 2000

    let platform: Platform
    let stores: AlertStores

    /// The lines of the route table. Those of the rules stand before, since `rules` is no alert.
    var routes: [Route] {
        AlertRuleRoutes(platform: platform, stores: stores).routes + [
            Route("GET", "/api/alerts", .permission(.monitorRead), .standard, list),
            Route("GET", "/api/alerts/{alert_id}", .permission(.monitorRead), .standard, show),
            Route("POST", "/api/alerts/{alert_id}/acknowledge", .permission(.alertWrite), .standard, acknowledge),
            Route("POST", "/api/alerts/{alert_id}/resolve", .permission(.alertWrite), .standard, resolve),
        ]
    }

    /// Without a status those that are not resolved.
    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let status: Alert.Status? = query.choice("status", &validation)
        let severity: AlertRule.Severity? = query.choice("severity", &validation)
        let page = query.page(.alert, &validation)
        query.refuseUnread(&validation)
        _ = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query {
            try stores.alerts.list(status: status, severity: severity, page: page)
        }
        return Paging.response(
            "alerts", listing.items.map { .object($0.json) }, total: listing.total, page,
            next: listing.items.last?.identifier, call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        _ = try platform.gate.admit(call)
        let found = try platform.gate.query { try stores.alerts.find(call.parameter("alert_id")) }
        guard let found else { throw .notFound("alert") }
        return .json(found.alert.detailsJSON(found.events, found.deliveries))
    }

    private func acknowledge(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        try change(call) { id, caller, comment, transaction in
            try stores.alerts.acknowledge(id, by: caller, comment: comment, in: transaction)
        }
    }

    private func resolve(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        try change(call) { id, caller, comment, transaction in
            try stores.alerts.resolve(id, by: caller, comment: comment, in: transaction)
        }
    }

    private func change(
        _ call: Route.Call, _ body: (String, Caller, String?, StoreTransaction) throws -> AlertAction
    ) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.optionalObject(of: call.request, limit: AlertRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["comment"], &validation)
        let comment = reader.value("comment").flatMap {
            FieldReader.plainText($0, "comment", atMost: AlertRoutes.commentBytes, &validation)
        }
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        return try platform.once(call, caller, idempotency, status: 200) { transaction throws(APIError) in
            let action = try platform.gate.query { try body(call.parameter("alert_id"), caller, comment, transaction) }
            switch action {
            case .notFound: throw .notFound("alert")
            case .resolved: throw APIError(.conflict, "The alert is resolved")
            case .done(let alert):
                let found = try platform.gate.query { try stores.alerts.find(alert, in: transaction) }
                guard let found else { throw .notFound("alert") }
                return found.alert.detailsJSON(found.events, found.deliveries)
            }
        }
    }
}
