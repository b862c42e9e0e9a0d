internal import Logging
internal import SoulBoxMetrics
internal import SoulBoxModel
internal import SoulBoxStore

/// `/metrics`: figures for Prometheus, and the same as JSON.
struct MetricRoutes: Sendable {
    /// The parts that `/metrics/performance` can be asked for.
    enum Component: String, CaseIterable {
        case cpu, memory, containers, executions
    }

    private static let hour = 3600
    /// From one minute to thirty days.
    private static let durations = 60...30 * 24 * 3600

    let gate: Gate
    let monitoring: Monitoring?
    let version: String

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/metrics", .permission(.monitorRead), .standard, show),
            Route("GET", "/api/metrics/performance", .permission(.monitorRead), .standard, performance),
        ]
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        // From an address that the operator trusts it needs no database, and answers when that is away.
        if !call.request.isFromTrustedAddress { _ = try gate.admit(call) }
        guard let monitoring else { throw .unavailable }
        let text: String
        do {
            text = try ServicePage(monitoring: monitoring, version: version).text()
        } catch {
            gate.log.error("the counters cannot be read", metadata: ["error": "\(error)"])
            throw .unavailable
        }
        return HTTPResponse(
            status: 200, headers: [.init("Content-Type", MetricPage.contentType)], body: Array(text.utf8))
    }

    private func performance(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let seconds = query.duration("duration", MetricRoutes.durations, &validation) ?? MetricRoutes.hour
        let component: Component? = query.choice("component", &validation)
        query.refuseUnread(&validation)
        _ = try gate.admit(call)
        if let error = validation.error { throw error }
        guard let store = monitoring?.store else { throw .unavailable }
        var answer = JSONObject()
        func isWanted(_ part: Component) -> Bool { component == nil || component == part }
        if isWanted(.cpu) {
            let summary = try gate.query { try store.summary(MetricName.cpuUsage, seconds: seconds) }
            answer["cpu_usage"] = MetricRoutes.percent(summary)
        }
        if isWanted(.memory) {
            let summary = try gate.query { try store.summary(MetricName.memoryUsage, seconds: seconds) }
            answer["memory_usage"] = MetricRoutes.percent(summary)
        }
        guard isWanted(.containers) || isWanted(.executions) else { return .json(.object(answer)) }
        let executions = try gate.query { try store.executions(seconds: seconds) }
        if isWanted(.containers) {
            let figures = try gate.query { try store.figures() }
            answer["container_metrics"] = executions.containers(figures)
        }
        if isWanted(.executions) { answer["execution_metrics"] = executions.json }
        return .json(.object(answer))
    }

    private static func percent(_ summary: MetricSummary?) -> JSONValue {
        func value(_ number: Double?) -> JSONValue { number.map { .number(($0 * 10).rounded() / 10) } ?? .null }
        return [
            "current": value(summary?.current), "average": value(summary?.average), "peak": value(summary?.peak),
            "p50": value(summary?.p50), "p95": value(summary?.p95), "p99": value(summary?.p99),
        ]
    }
}
