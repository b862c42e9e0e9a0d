internal import Glibc
internal import LinuxKernel
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/health`: whether the service works, for everybody; which component does not, for those who may know.
struct HealthRoutes: Sendable {
    let service: ExecutionService
    let monitor: HealthMonitor
    let version: String
    private let startedAt = MonotonicClock.now

    init(service: ExecutionService, monitor: HealthMonitor, version: String) {
        self.service = service
        self.monitor = monitor
        self.version = version
    }

    /// The lines of the route table.
    var routes: [Route] { [Route("GET", "/api/health", .open, .standard, show)] }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let findings = monitor.findings
        let healthy = findings.count { $0.isHealthy }
        // Without a database nothing can be asked for; without another component something still can.
        let hasDatabase = findings.first { $0.name == "database" }?.isHealthy ?? true
        let status = healthy == findings.count ? "healthy" : hasDatabase ? "degraded" : "unhealthy"
        var answer = JSONObject([
            ("status", .string(status)), ("version", .string(version)),
            ("uptime", .integer(Int64((MonotonicClock.now - startedAt) / 1_000_000_000))),
        ])
        // Without the database nobody can prove who they are, and everybody needs to know what is away.
        if !hasDatabase || mayKnowMore(call) {
            answer["components"] = .array(findings.map(HealthRoutes.describe))
        }
        return .json(.object(answer), status: status == "unhealthy" ? 503 : 200)
    }

    private static func describe(_ finding: HealthMonitor.Finding) -> JSONValue {
        var component = JSONObject([
            ("name", .string(finding.name)), ("status", finding.isHealthy ? "healthy" : "unhealthy"),
            ("last_check", .string(finding.lastCheck.rfc3339)),
            ("latency_ms", .number(Double(finding.microseconds) / 1000)),
        ])
        if let message = finding.message { component["message"] = .string(message) }
        if !finding.details.names.isEmpty { component["details"] = .object(finding.details) }
        return .object(component)
    }

    /// A bad credential takes nothing away from what everybody is told.
    private func mayKnowMore(_ call: Route.Call) -> Bool {
        (try? service.gate.admit(call))?.may(.monitorRead) == true
    }
}
