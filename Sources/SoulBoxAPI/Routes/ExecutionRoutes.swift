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
            Route("POST", "/api/execute", create),
            Route("GET", "/api/execute/{id}", show),
            Route("DELETE", "/api/execute/{id}", cancel),
            Route("GET", "/api/execute/{id}/files/{path...}", file),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let credential = try CredentialReader.credential(of: call.request)
        if call.request.body.contentLength ?? .max > ExecutionRoutes.unknownCallerBody {
            _ = try service.authenticate(credential, needs: .execute)
        }
        let request: (spec: ExecutionSpec, isAsync: Bool)
        do {
            request = try read(call.request)
        } catch {
            // Only a caller who may execute learns what is wrong with the request.
            _ = try service.authenticate(credential, needs: .execute)
            throw error
        }
        guard request.isAsync else {
            let record = try service.execute(
                request.spec, credential, clientDescriptor: call.request.clientDescriptor)
            return .json(record.json())
        }
        let record = try service.accept(request.spec, credential)
        return .json(
            record.acceptedJSON, status: 202, headers: [.init("Location", "/api/execute/\(record.id)")])
    }

    private func read(_ request: HTTPRequest) throws(APIError) -> (spec: ExecutionSpec, isAsync: Bool) {
        let object = try JSONBody.object(of: request, limit: service.limits.body)
        var validation = Validation()
        let body = ExecuteRequest(object, within: service.limits, &validation)
        let spec = try body.spec(service.catalog, &validation)
        if let error = validation.error { throw error }
        guard let spec else { throw .internalError }
        return (spec, body.isAsync || ExecutionRoutes.prefersAsync(request))
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try caller(call)
        guard let record = try service.find(call.parameter("id"), caller) else { throw .notFound("execution") }
        return .json(record.json())
    }

    private func cancel(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let id = call.parameter("id")
        try service.cancel(id, try caller(call))
        return .json([
            "execution_id": .string(id), "status": "cancelled", "message": "Execution cancelled successfully",
        ])
    }

    private func file(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try caller(call)
        let (id, path) = (call.parameter("id"), call.parameter("path"))
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

    private func caller(_ call: Route.Call) throws(APIError) -> Caller {
        try service.authenticate(try CredentialReader.credential(of: call.request), needs: .execute)
    }

    /// Whether the header `Prefer` asks for `respond-async` (RFC 7240, section 4.1).
    private static func prefersAsync(_ request: HTTPRequest) -> Bool {
        (request.header("Prefer") ?? "").split(separator: ",").contains { preference in
            let token = preference.split(separator: ";").first ?? ""
            return token.split(separator: " ").joined().lowercased() == "respond-async"
        }
    }
}
