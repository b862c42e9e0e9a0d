internal import SoulBoxModel

/// One line of the route table.
struct Route: Sendable {
    /// What a handler gets.
    struct Call {
        /// The request.
        let request: HTTPRequest
        /// The path's parameters, decoded.
        let parameters: [String: String]

        /// A parameter that the route's pattern names.
        func parameter(_ name: String) -> String { parameters[name] ?? "" }
    }

    /// Answers a request, or throws what the client is told.
    typealias Handler = @Sendable (Call) throws(APIError) -> HTTPResponse

    let method: String
    let pattern: PathPattern
    let handler: Handler

    /// Makes a line of the table.
    init(_ method: String, _ pattern: String, _ handler: @escaping Handler) {
        self.method = method
        self.pattern = PathPattern(pattern)
        self.handler = handler
    }
}
