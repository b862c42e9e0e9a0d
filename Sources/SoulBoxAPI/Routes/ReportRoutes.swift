internal import SoulBoxModel
internal import SoulBoxStore

/// `/reports`: what executions have used, and which ran long or failed.
struct ReportRoutes: Sendable {
    private static let usualRows = 1000
    private static let mostRows = 10_000
    private static let usualExecutions = 10

    /// What `/reports/executions` puts first.
    private enum Order: String, CaseIterable {
        case slowest
        case failing
    }

    let platform: Platform
    let reports: ReportStore

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/reports/usage", .permission(.reportRead), .standard, usage),
            Route("GET", "/api/reports/executions", .permission(.reportRead), .standard, executions),
        ]
    }

    private func usage(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let period = query.period(step: ReportPeriod.quarter, called: "a quarter of an hour", &validation)
        let grouping: UsageGrouping = query.choice("group_by", &validation) ?? .day
        let limit = query.number("limit", 1...ReportRoutes.mostRows, &validation)
        if limit != nil, grouping == .day { validation.fail("limit", "Does not apply to days, which are all told") }
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        guard let form = MediaType.best(of: [.json, .csv], accept: call.request.header("Accept")) else {
            throw APIError(
                .validationError, status: 406, "None of the accepted media types can be given",
                details: JSONObject([
                    ("field", "Accept"), ("reason", "Can be given: application/json, text/csv"),
                ]), headers: [.init("Vary", "Accept")])
        }
        guard let period else { throw .internalError }
        let rows = grouping == .day ? period.days.count : limit ?? ReportRoutes.usualRows
        let account = try ReportRoutes.account(grouping, caller, call.request)
        var report = try platform.gate.query {
            try reports.usage(account: account, period, by: grouping, limit: rows)
        }
        if grouping == .day { report = report.filled(period.days) }
        let headers: [APIError.Header] = [
            .init("Vary", "Accept"), .init("X-Pagination-Total", String(report.groups)),
            .init("X-Pagination-Limit", String(rows)),
        ]
        guard form == .csv else { return .json(report.json(period, grouping), headers: headers) }
        let days = period.days
        let name = "usage-by-\(grouping.rawValue)-\(days.first ?? "")-\(days.last ?? "").csv"
        return HTTPResponse(
            status: 200,
            headers: [
                .init("Content-Type", MediaType.csv.text),
                .init("Content-Disposition", "attachment; filename=\"\(name)\""),
            ] + headers, body: report.csv(grouping))
    }

    /// The account that a report is about; nil for all, which an administrator sees who works for none.
    private static func account(
        _ grouping: UsageGrouping, _ caller: Caller, _ request: HTTPRequest
    ) throws(APIError) -> [UInt8]? {
        guard grouping == .account else { return caller.accountID }
        guard caller.may(.admin) else {
            throw APIError(
                .insufficientPermissions, "Insufficient permissions",
                details: JSONObject([("required", .string(Permission.admin.rawValue))]))
        }
        return request.header("X-Account-ID") == nil ? nil : caller.accountID
    }

    private func executions(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let period = query.period(step: ReportPeriod.day, called: "a day", &validation)
        let order: Order = query.choice("order", &validation) ?? .slowest
        let limit = query.number("limit", 1...ReportStore.slowestKept, &validation) ?? ReportRoutes.usualExecutions
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        guard let period else { throw .internalError }
        var answer = JSONObject([
            ("from", .string(period.from.rfc3339)), ("to", .string(period.to.rfc3339)),
            ("order", .string(order.rawValue)),
        ])
        switch order {
        case .slowest:
            let found = try platform.gate.query {
                try reports.slowest(account: caller.accountID, period, limit: limit)
            }
            answer["executions"] = .array(found.map(\.json))
        case .failing:
            let found = try platform.gate.query {
                try reports.failing(account: caller.accountID, period, limit: limit)
            }
            for (name, dimension) in [
                ("languages", FailingGroup.Dimension.language), ("keys", .key), ("sandboxes", .sandbox),
            ] {
                answer[name] = .array(found.filter { $0.dimension == dimension }.map(\.json))
            }
        }
        return .json(.object(answer))
    }
}
