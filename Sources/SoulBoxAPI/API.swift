internal import LinuxKernel
public import Logging
public import SoulBoxExecution
internal import SoulBoxMetrics
internal import SoulBoxModel
internal import SoulBoxStore

/// The REST API: turns each request into its answer, whatever brought the request here.
///
/// Shared by all threads of a worker.
public struct API: Sendable {
    /// The header that tells the web server how a caller stands with its limit; clients get three others in its place.
    public static let rateHeader = "X-SoulBox-Rate"

    private let router: Router
    private let metrics: RequestMetrics
    private let platform: Platform
    private let log: Logger

    /// Makes the API with all its routes.
    ///
    /// - Parameters:
    ///   - repository: The executions in the database.
    ///   - stores: The rest of the database.
    ///   - carrier: What carries executions out.
    ///   - catalog: The templates that can be used.
    ///   - health: The state of the components.
    ///   - monitoring: What this process counts, and where all count; nil counts for nobody to see.
    ///   - process: This process's row in the database, the owner of its synchronous executions.
    ///   - version: The version that `GET /health` tells.
    ///   - uploadLimit: The largest file that is taken, in bytes.
    ///   - document: What `GET /openapi.json` answers.
    public init(
        repository: any ExecutionRepository, stores: APIStores, carrier: any ExecutionCarrier,
        catalog: TemplateCatalog, health: HealthMonitor, monitoring: Monitoring? = nil, process: [UInt8],
        version: String,
        document: [UInt8] = [], uploadLimit: Int64 = 100 << 20, log: Logger
    ) {
        let counts = monitoring?.metrics ?? ServiceMetrics(.unshared())
        let gate = Gate(
            credentials: CredentialReader(tokens: stores.tokens), repository: repository, refusals: counts.refusals,
            log: log)
        platform = Platform(
            gate: gate, keys: stores.keys, accounts: stores.accounts, audit: stores.audit,
            idempotency: stores.idempotency, tokens: stores.tokens, seal: stores.seal)
        let limits = ExecuteLimits()
        let templates = TemplateService(platform: platform, store: stores.templates, catalog: catalog)
        let sandboxes = SandboxService(
            platform: platform, store: stores.sandboxes, keeper: stores.keeper, templates: templates,
            bounds: SandboxBounds(limits), maker: SandboxMaker(stores.keeper, log: log))
        let files = SandboxFileService(sandboxes: sandboxes, uploadLimit: uploadLimit)
        let executions = ExecutionService(
            gate: gate, repository: repository, runner: carrier, catalog: catalog, limits: limits,
            process: process, abandoned: AbandonedExecutions(repository, process: process, log: log),
            sandboxes: sandboxes, templates: templates, metrics: counts.executions, log: log)
        router = Router(
            ExecutionRoutes(service: executions).routes
                + LanguageRoutes(service: executions).routes
                + TemplateRoutes(service: templates).routes
                + TemplateWriteRoutes(service: templates, limits: limits).routes
                + HealthRoutes(service: executions, monitor: health, version: version).routes
                + MetricRoutes(gate: gate, monitoring: monitoring, version: version).routes
                + SandboxRoutes(service: sandboxes, files: files).routes
                + SnapshotRoutes(sandboxes: sandboxes, store: stores.snapshots).routes
                + RestoreRoutes(sandboxes: sandboxes, store: stores.snapshots).routes
                + FileRoutes(service: files).routes
                + ProcessRoutes(service: files).routes
                + ContextRoutes(service: files).routes
                + KeyRoutes(platform: platform).routes
                + TokenRoutes(platform: platform).routes
                + AccountRoutes(platform: platform).routes
                + AuditRoutes(platform: platform).routes
                + AlertRoutes(platform: platform, stores: stores.alerts).routes
                + ReportRoutes(platform: platform, reports: stores.reports).routes
                + DocumentRoutes(document: document).routes)
        metrics = RequestMetrics(router.routes, counts.sheet)
        self.log = log
    }

    /// Answers a request; every failure becomes the error envelope here and nowhere else.
    public func respond(to request: HTTPRequest) -> HTTPResponse {
        let begin = MonotonicClock.now
        var response: HTTPResponse
        do {
            response = try router.respond(to: request)
        } catch {
            if error.status >= 500 {
                log.error(
                    "request failed",
                    metadata: [
                        "request.id": "\(request.requestID)", "request.method": "\(request.method)",
                        "http.status": "\(error.status)", "error": "\(error.message)",
                    ])
            }
            response = .error(error, requestID: request.requestID)
        }
        note(request, status: response.status)
        metrics.note(request, status: response.status, nanoseconds: MonotonicClock.now - begin)
        response.headers.append(.init("X-Request-ID", request.requestID))
        response.headers.append(.init("X-Content-Type-Options", "nosniff"))
        response.headers.append(.init("Cache-Control", "no-store"))
        if let rate = request.context.rate {
            response.headers.append(rate.field)
        }
        return response
    }

    /// Adds a call that changes something to the audit log, unless that was done with the change itself.
    private func note(_ request: HTTPRequest, status: Int) {
        let context = request.context
        guard request.method != "GET", request.method != "HEAD", context.caller != nil, !context.isAudited else {
            return
        }
        do {
            try platform.audit.note(platform.auditEntry(request, status: status))
        } catch {
            log.error(
                "a call is missing from the audit log",
                metadata: ["request.id": "\(request.requestID)", "error": "\(error)"])
        }
    }

    /// The lines of the route table, as the documentation must tell them.
    var routes: [Route] { router.routes }
}
