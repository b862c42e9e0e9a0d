internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/templates`: what sandboxes are made from.
struct TemplateRoutes: Sendable {
    let gate: Gate
    let catalog: TemplateCatalog

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/templates", .anyone, .standard, list),
            Route("GET", "/api/templates/{template_id}", .anyone, .standard, show),
        ]
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let runtime: Runtime? = query.choice("runtime", &validation)
        let page = query.page(.template, &validation)
        query.refuseUnread(&validation)
        _ = try gate.admit(call)
        if let error = validation.error { throw error }
        let all = try templates().filter { runtime == nil || $0.runtime == runtime }.sorted { $0.id < $1.id }
        let shown = all.dropFirst(page.offset).prefix(page.limit)
        return Paging.response(
            "templates", shown.map { .object($0.summary) }, total: Int64(all.count), page, next: shown.last?.id,
            call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        _ = try gate.admit(call)
        guard let template = try templates().first(where: { $0.id == call.parameter("template_id") }) else {
            throw .notFound("template")
        }
        return .json(template.details)
    }

    private func templates() throws(APIError) -> [ImageManifest] {
        do {
            return try catalog.templates()
        } catch {
            throw .unavailable
        }
    }
}

extension ImageManifest {
    /// The template as a list shows it.
    var summary: JSONObject {
        JSONObject([
            ("template_id", .string(id)), ("name", .string(name)), ("description", .string(description)),
            ("runtime", .string(runtime.rawValue)), ("version", .string(version)),
            ("packages", .array(packages.map(JSONValue.string))),
        ])
    }

    /// The template with everything that is known of it.
    var details: JSONValue {
        var object = summary
        object["runtime_version"] = .string(runtimeVersion)
        object["base_image"] = .string(baseImage)
        object["packages_installed"] = .array(
            packagesInstalled.map { ["name": .string($0.name), "version": .string($0.version)] })
        object["environment"] = .object(JSONObject(environment.map { ($0.name, .string($0.value)) }))
        object["files"] = .array(files.map { ["name": .string($0.name), "content": .string($0.content)] })
        object["minimum_memory"] = .string(ByteSize.text(minimumMemoryBytes))
        return .object(object)
    }
}
