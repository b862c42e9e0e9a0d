internal import SoulBoxModel
internal import SoulBoxStore

/// One line of the route table: what the router does with a request, and what the documentation says of it.
struct Route: Sendable {
    /// Who may send a request.
    enum Access: Sendable, Equatable {
        /// Everybody.
        case open
        /// Whoever has a good credential.
        case anyone
        /// Whoever has that permission.
        case permission(Permission)

        /// The permission that a ticket asks for.
        var needed: Permission? {
            if case .permission(let permission) = self { permission } else { nil }
        }
    }

    /// What a handler gets.
    struct Call {
        /// The request.
        let request: HTTPRequest
        /// The path's parameters, decoded.
        var parameters: [String: String]
        /// The line of the table.
        let route: Route

        /// A parameter that the route's pattern names.
        func parameter(_ name: String) -> String { parameters[name] ?? "" }
    }

    /// Answers a request, or throws what the client is told.
    typealias Handler = @Sendable (Call) throws(APIError) -> HTTPResponse

    let method: String
    /// The path as the documentation writes it.
    let path: String
    let pattern: PathPattern
    let access: Access
    let rateClass: RateClass
    let handler: Handler

    /// Makes a line of the table.
    init(
        _ method: String, _ path: String, _ access: Access, _ rateClass: RateClass = .standard,
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        pattern = PathPattern(path)
        self.access = access
        self.rateClass = rateClass
        self.handler = handler
    }

    /// Whether its requests change something, and so belong into the audit log.
    var isMutating: Bool { method != "GET" }
}
