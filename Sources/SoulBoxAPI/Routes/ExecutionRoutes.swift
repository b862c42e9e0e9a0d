internal import SoulBoxModel
internal import SoulBoxStore

/// `/execute`: run code, and look after what was run.
struct ExecutionRoutes: Sendable {
    /// A larger body is read only for a caller who is known to be allowed to send it.
    private static let unknownCallerBody = 256 << 10

    let service: ExecutionService

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/execute", .permission(.execute), .execution, create),
            Route("POST", "/api/sandboxes/{sandbox_id}/execute", .permission(.execute), .execution, create),
            Route("GET", "/api/execute/{execution_id}", .permission(.execute), .standard, show),
            Route("DELETE", "/api/execute/{execution_id}", .permission(.execute), .standard, cancel),
            Route("GET", "/api/execute/{execution_id}/files/{path...}", .permission(.execute), .standard, file),
            Route("GET", "/api/executions", .permission(.execute), .standard, list),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let ticket = try service.gate.ticket(call)
        if call.request.body.contentLength ?? .max > ExecutionRoutes.unknownCallerBody {
            // Counted as an ordinary request: the execution itself is counted when it is admitted.
            let early = try service.gate.ticket(call, as: .standard)
            _ = try service.gate.caller(try service.store { try $0.admit(early) }, call.request)
        }
        var sandbox: AccountSandbox?
        let body: (spec: ExecutionSpec, isAsync: Bool, idempotency: Idempotency?)
        do {
            let (object, bytes) = try JSONBody.read(call.request, limit: service.limits.body)
            sandbox = try service.target(call, object)
            body = try read(call, object, bytes, in: sandbox)
        } catch {
            // Only a caller who may execute learns what is wrong with the request, and only of a sandbox of its own.
            let caller = try service.gate.caller(try service.store { try $0.admit(ticket) }, call.request)
            if let sandbox, sandbox.accountID != caller.accountID { throw .notFound("sandbox") }
            throw error
        }
        guard body.isAsync else {
            let record = try service.execute(body.spec, in: sandbox, ticket, body.idempotency, call.request)
            return .json(record.json())
        }
        let record = try service.accept(body.spec, ticket, body.idempotency, call.request)
        return .json(
            record.acceptedJSON, status: 202, headers: [.init("Location", "/api/execute/\(record.id)")])
    }

    private func read(
        _ call: Route.Call, _ object: JSONObject, _ bytes: [UInt8], in sandbox: AccountSandbox?
    ) throws(APIError) -> (spec: ExecutionSpec, isAsync: Bool, idempotency: Idempotency?) {
        var validation = Validation()
        let body = ExecuteRequest(object, within: service.limits, in: sandbox, &validation)
        let spec = try service.spec(body, call, in: sandbox, &validation)
        let isAsync = body.isAsync || ExecutionRoutes.prefersAsync(call.request)
        let idempotency = IdempotencyKey.read(call.request, bytes + [isAsync ? 1 : 0], &validation)
        if let error = validation.error { throw error }
        guard let spec else { throw .internalError }
        return (spec, isAsync, idempotency)
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        var filter = ExecutionFilter()
        filter.status = query.choice("status", &validation)
        if let name = query.text("language") {
            filter.runtime = Runtime(alias: name)
            if filter.runtime == nil { validation.fail("language", "Unsupported language: \(name.prefix(50))") }
        }
        filter.since = query.time("since", &validation)
        filter.until = query.time("until", &validation)
        let sandbox = query.text("sandbox_id")
        filter.sandbox = sandbox.flatMap { Identifier.parse($0, .sandbox) }
        let page = query.page(.execution, &validation)
        query.refuseUnread(&validation)
        let caller = try service.gate.admit(call)
        if let error = validation.error { throw error }
        // A malformed identifier names no sandbox, and so nothing runs in it.
        if sandbox != nil, filter.sandbox == nil {
            return Paging.response("executions", [], total: 0, page, next: nil, call.request)
        }
        // The pages of one walk show the same moment, whatever is added meanwhile.
        if page.cursor == nil, filter.until == nil { filter.until = .now }
        let listing = try service.store { [filter] in
            try $0.list(account: caller.accountID, filter: filter, page: page)
        }
        let until = filter.until.map { [("until", $0.rfc3339)] } ?? []
        return Paging.response(
            "executions", listing.items.map { $0.summaryJSON() }, total: listing.total, page,
            next: listing.items.last?.id, call.request, also: until)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let ticket = try service.gate.ticket(call)
        let found = try service.store { try $0.find(call.parameter("execution_id"), ticket) }
        _ = try service.gate.caller(found.admission, call.request)
        guard let record = found.record else { throw .notFound("execution") }
        return .json(record.json())
    }

    private func cancel(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let id = call.parameter("execution_id")
        try service.cancel(id, try service.gate.admit(call))
        return .json([
            "execution_id": .string(id), "status": "cancelled", "message": "Execution cancelled successfully",
        ])
    }

    private func file(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try service.gate.admit(call)
        let (id, path) = (call.parameter("execution_id"), call.parameter("path"))
        guard Identifier.parse(id, .execution) != nil,
            let artifact = try service.store({ try $0.artifact(execution: id, account: caller.accountID, path: path) })
        else { throw .notFound("file") }
        guard let contents = artifact.contents else {
            throw APIError(
                .resourceNotFound, "The file was too large to be stored",
                details: JSONObject([("size", .integer(artifact.size))]))
        }
        return HTTPResponse(
            status: 200,
            headers: [
                .init("Content-Type", ContentType.of(path)),
                // A program's file must never run as a page of this origin.
                .init("Content-Disposition", "attachment"),
                .init("Content-Security-Policy", "sandbox; default-src 'none'"),
            ], body: contents)
    }

    /// Whether the header `Prefer` asks for `respond-async` (RFC 7240, section 4.1).
    private static func prefersAsync(_ request: HTTPRequest) -> Bool {
        (request.header("Prefer") ?? "").split(separator: ",").contains { preference in
            let token = preference.split(separator: ";").first ?? ""
            return token.split(separator: " ").joined().lowercased() == "respond-async"
        }
    }
}
