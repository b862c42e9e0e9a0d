public import Logging
public import SoulBoxExecution
internal import SoulBoxModel

/// The REST API: turns each request into its answer, whatever brought the request here.
///
/// Shared by all threads of a worker.
public struct API: Sendable {
    private let router: Router
    private let log: Logger

    /// Makes the API with all its routes.
    ///
    /// - Parameters:
    ///   - repository: The database.
    ///   - carrier: What carries executions out.
    ///   - catalog: The templates that can be used.
    ///   - health: The state of the components.
    ///   - process: This process's row in the database, the owner of its synchronous executions.
    ///   - version: The version that `GET /health` tells.
    public init(
        repository: any ExecutionRepository, carrier: any ExecutionCarrier, catalog: TemplateCatalog,
        health: HealthMonitor, process: [UInt8], version: String, log: Logger
    ) {
        let executions = ExecutionService(
            repository: repository, runner: carrier, catalog: catalog, limits: ExecuteLimits(), process: process,
            log: log)
        router = Router(
            ExecutionRoutes(service: executions).routes
                + LanguageRoutes(service: executions).routes
                + HealthRoutes(service: executions, monitor: health, version: version).routes)
        self.log = log
    }

    /// Answers a request; every failure becomes the error envelope here and nowhere else.
    public func respond(to request: HTTPRequest) -> HTTPResponse {
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
        response.headers.append(.init("X-Request-ID", request.requestID))
        response.headers.append(.init("X-Content-Type-Options", "nosniff"))
        response.headers.append(.init("Cache-Control", "no-store"))
        return response
    }
}
