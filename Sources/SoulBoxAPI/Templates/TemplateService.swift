internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The rules of templates: which there are for whom, and what can be made from them.
struct TemplateService: Sendable {
    let platform: Platform
    let store: TemplateStore
    let catalog: TemplateCatalog
    let bounds = TemplateBounds()

    /// The system templates that are installed, by identifier.
    func systems() throws(APIError) -> [ImageManifest] {
        do {
            return try catalog.templates().sorted { $0.id < $1.id }
        } catch {
            throw .unavailable
        }
    }

    /// Whether a name can only be that of a user's template.
    static func isOwn(_ name: String?) -> Bool { name.map { Identifier.parse($0, .template) != nil } ?? false }

    /// A template of the caller's account.
    func find(_ id: String, _ caller: Caller) throws(APIError) -> AccountTemplate {
        guard TemplateService.isOwn(id),
            let template = try platform.gate.query({ try store.find(id, account: caller.accountID) })
        else { throw .notFound("template") }
        return template
    }

    /// What can be made from a template of the caller's account; why not is noted.
    func choice(
        _ id: String, _ caller: Caller, _ validation: inout Validation
    ) throws(APIError) -> TemplateChoice? {
        let found = try platform.gate.query { try store.find(id, account: caller.accountID) }
        guard let template = found else {
            validation.fail("template", "There is no such template")
            return nil
        }
        guard let image = template.image else {
            validation.fail(
                "template", template.newest.status.isFinal ? "It could not be built" : "It is not built yet")
            return nil
        }
        let manifest: ImageManifest?
        do {
            manifest = try catalog.template(named: image.text, for: template.runtime, account: template.account)
        } catch {
            throw .unavailable
        }
        guard let manifest else {
            validation.fail("template", "Its base is no longer installed: build it again")
            return nil
        }
        return TemplateChoice(manifest, image: image)
    }
}

extension APIError {
    /// A template was not made, changed or deleted.
    static func template(_ refusal: TemplateRefusal) -> APIError {
        switch refusal {
        case .quota: .limitExceeded("The quota templates is used up", retryAfter: 60, quota: "templates")
        case .nameTaken:
            APIError(
                .conflict, "A template of this name exists",
                details: JSONObject([("field", "name"), ("reason", "Is the name of another template")]))
        case .notFound: .notFound("template")
        case .building: APIError(.conflict, "A version of the template is being built")
        case .runtime(let runtime):
            APIError(
                .validationError, "Invalid request parameters",
                details: JSONObject([
                    ("field", "base"), ("reason", .string("Must be a template for \(runtime.rawValue)")),
                ]))
        case .inUse(let sandboxes, let snapshots, let executions):
            APIError(
                .conflict, "The template is in use",
                details: JSONObject([
                    ("sandboxes", .integer(sandboxes)), ("snapshots", .integer(snapshots)),
                    ("executions_running", .integer(executions)),
                ]))
        }
    }
}
