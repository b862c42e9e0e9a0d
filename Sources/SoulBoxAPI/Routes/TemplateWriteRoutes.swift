internal import SoulBoxModel
internal import SoulBoxStore

/// `/templates`: make, change and remove templates of the account's own.
struct TemplateWriteRoutes: Sendable {
    let service: TemplateService
    let limits: ExecuteLimits

    private var platform: Platform { service.platform }

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/templates", .permission(.templateWrite), .standard, create),
            Route("PUT", "/api/templates/{template_id}", .permission(.templateWrite), .standard, update),
            Route("DELETE", "/api/templates/{template_id}", .permission(.templateWrite), .standard, remove),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: service.bounds.body)
        var validation = Validation()
        let request = TemplateRequest(object, isNew: true, within: service.bounds, files: limits, &validation)
        let made = request.spec(over: nil, systems: try service.systems(), &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        guard let name = request.name, let made else { throw .internalError }
        let response = try platform.once(call, caller, idempotency, status: 202) { transaction throws(APIError) in
            let noted = try platform.gate.query {
                try service.store.create(
                    Identifier.makeUUID(), account: caller.accountID, name: name, runtime: made.runtime,
                    spec: made.spec, in: transaction)
            }
            return try TemplateWriteRoutes.answer(noted)
        }
        guard let id = (try? JSONParser.parse(response.body))?["template_id"]?.stringValue else { return response }
        return response.adding(.init("Location", "/api/templates/\(id)"))
    }

    private func update(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: service.bounds.body)
        var validation = Validation()
        let request = TemplateRequest(object, isNew: false, within: service.bounds, files: limits, &validation)
        if let error = validation.error { throw error }
        let id = try own(call)
        let systems = try service.systems()
        let response = try platform.once(call, caller, nil, status: 202) { transaction throws(APIError) in
            let noted = try platform.gate.query {
                try service.store.addVersion(to: id, account: caller.accountID, in: transaction) { known in
                    var validation = Validation()
                    let made = request.spec(over: known.newest.spec, systems: systems, &validation)
                    if let error = validation.error { throw error }
                    guard let made else { throw APIError.internalError }
                    return (request.name ?? known.name, made.runtime, made.spec)
                }
            }
            return try TemplateWriteRoutes.answer(noted)
        }
        return response.adding(.init("Location", "/api/templates/\(Identifier.text(.template, uuid: id))"))
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let force = query.bool("force", &validation) ?? false
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let id = Identifier.text(.template, uuid: try own(call))
        // From here on it is gone for its account; its images go with the scheduler's sweep.
        return try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let refusal = try platform.gate.query {
                try service.store.delete(id, account: caller.accountID, force: force, in: transaction)
            }
            if let refusal { throw .template(refusal) }
            return [
                "template_id": .string(id), "status": "deleted", "message": "Template deleted successfully",
            ]
        }
    }

    /// The template of the path, which must be a user's.
    private func own(_ call: Route.Call) throws(APIError) -> [UInt8] {
        let name = call.parameter("template_id")
        if let id = Identifier.parse(name, .template) { return id }
        guard try service.systems().contains(where: { $0.id == name }) else { throw .notFound("template") }
        throw APIError(.conflict, "A system template is the operator's to change")
    }

    private static func answer(_ noted: Result<AccountTemplate, TemplateRefusal>) throws(APIError) -> JSONValue {
        switch noted {
        case .success(let template): return template.detailsJSON
        case .failure(let refusal): throw .template(refusal)
        }
    }
}
