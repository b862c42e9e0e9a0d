internal import SoulBoxModel
internal import SoulBoxStore

/// `/openapi.json`: this API, told to programs.
struct DocumentRoutes: Sendable {
    let document: [UInt8]

    /// The lines of the route table.
    var routes: [Route] { [Route("GET", "/api/openapi.json", .open, .standard, show)] }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        guard !document.isEmpty else { throw .unavailable }
        return .json(bytes: document, status: 200)
    }
}
