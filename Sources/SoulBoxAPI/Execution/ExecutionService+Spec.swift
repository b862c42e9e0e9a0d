internal import SoulBoxModel
internal import SoulBoxStore

/// From a request to what is to be executed, whatever protocol brought it here.
extension ExecutionService {
    /// The persistent sandbox that the path or the body names; whether it is the caller's is seen when the execution is
    /// admitted.
    func target(_ call: Route.Call, _ object: JSONObject) throws(APIError) -> AccountSandbox? {
        let inBody = FieldReader(object).value("sandbox_id")
        guard let id = call.parameters["sandbox_id"] ?? inBody?.stringValue else { return nil }
        if call.parameters["sandbox_id"] != nil, let inBody, inBody.stringValue != id {
            throw FileRoutes.wrong("sandbox_id", "Is not the sandbox of the path")
        }
        guard let store = sandboxes?.store, let sandbox = try gate.query({ try store.find(id) }) else {
            throw .notFound("sandbox")
        }
        return sandbox
    }

    /// What a body asks for; what is wrong with it is noted.
    func spec(
        _ body: ExecuteRequest, _ call: Route.Call, in sandbox: AccountSandbox?, _ validation: inout Validation
    ) throws(APIError) -> ExecutionSpec? {
        let own = sandbox == nil ? try ownTemplate(body.template, call, &validation) : nil
        return try body.spec(catalog, in: sandbox, own: own, &validation)
    }

    /// The user's template that a body names. Whose it is must be known before anything is told of it: the caller is let in
    /// once more, as for an ordinary request.
    private func ownTemplate(
        _ name: String?, _ call: Route.Call, _ validation: inout Validation
    ) throws(APIError) -> TemplateChoice? {
        guard let name, TemplateService.isOwn(name), let templates else { return nil }
        let early = try gate.ticket(call, as: .standard)
        let caller = try gate.caller(try store { try $0.admit(early) }, call.request)
        return try templates.choice(name, caller, &validation)
    }
}
