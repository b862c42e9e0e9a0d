internal import SoulBoxModel

/// Finds the route of a request in the table that both worker pools share.
struct Router: Sendable {
    let routes: [Route]

    /// Makes a router; of two routes that match, the first is taken.
    init(_ routes: [Route]) { self.routes = routes }

    /// Answers a request by its route.
    ///
    /// A route for GET also answers HEAD; the web server leaves the body out.
    ///
    /// - Throws: 404 for an unknown path, 405 with `Allow` for a known path and another method, 400 for a path that
    ///   cannot be decoded, and what the route's handler throws.
    func respond(to request: HTTPRequest) throws(APIError) -> HTTPResponse {
        var segments: [String] = []
        for segment in request.rawPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let decoded = PercentEncoding.decode(segment), !decoded.utf8.contains(0) else {
                throw APIError(.validationError, "The path is not valid percent-encoded UTF-8")
            }
            segments.append(decoded)
        }
        var allowed: [String] = []
        for (index, route) in routes.enumerated() {
            guard let parameters = route.pattern.match(segments) else { continue }
            if route.method == request.method || route.method == "GET" && request.method == "HEAD" {
                request.context.route = index
                return try route.handler(Route.Call(request: request, parameters: parameters, route: route))
            }
            allowed.append(route.method)
            if route.method == "GET" { allowed.append("HEAD") }
        }
        guard !allowed.isEmpty else { throw APIError(.resourceNotFound, "There is no such resource") }
        let allow = allowed.sorted().joined(separator: ", ")
        throw APIError(
            .validationError, status: 405, "Method not allowed",
            details: JSONObject([("field", "method"), ("reason", .string("Allowed: \(allow)"))]),
            headers: [.init("Allow", allow)])
    }
}
