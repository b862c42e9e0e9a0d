internal import SoulBoxModel
internal import SoulBoxStore

/// `/templates`: what sandboxes are made from, the system's and the account's own.
struct TemplateRoutes: Sendable {
    let service: TemplateService

    private var gate: Gate { service.platform.gate }

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("GET", "/api/templates", .anyone, .standard, list),
            Route("GET", "/api/templates/{template_id}", .anyone, .standard, show),
            Route("GET", "/api/templates/{template_id}/build", .anyone, .standard, build),
        ]
    }

    /// The system templates first, then the account's own, the oldest first.
    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let runtime: Runtime? = query.choice("runtime", &validation)
        let page = query.page(.template, &validation)
        query.refuseUnread(&validation)
        let caller = try gate.admit(call)
        if let error = validation.error { throw error }
        let systems = try service.systems().filter { runtime == nil || $0.runtime == runtime }
        let place = Place(page, systems: systems.count)
        let shown = systems.dropFirst(place.systems).prefix(page.limit)
        let own = try gate.query {
            try service.store.list(
                account: caller.accountID, runtime: runtime, after: place.cursor, offset: place.offset,
                limit: page.limit - shown.count)
        }
        let next = own.items.last?.identifier ?? Place.cursor(systems: place.systems + shown.count)
        return Paging.response(
            "templates", shown.map { .object($0.summary) } + own.items.map { .object($0.summaryJSON) },
            total: Int64(systems.count) + own.total, page, next: next, call.request)
    }

    /// Where a page begins: after so many system templates, and where among the account's own.
    ///
    /// A walk by cursor may stand among the system templates, which have no identifiers of that form: then the cursor is
    /// zeros, as no identifier is, and a last byte that says how many are passed.
    private struct Place {
        let systems: Int
        var cursor: [UInt8]?
        var offset = 0

        init(_ page: Page, systems count: Int) {
            guard let cursor = page.cursor else {
                systems = min(page.offset, count)
                offset = page.offset - systems
                return
            }
            if cursor.dropLast().allSatisfy({ $0 == 0 }) {
                systems = Int(cursor.last ?? 0)
            } else {
                systems = count
                self.cursor = cursor
            }
        }

        static func cursor(systems: Int) -> String {
            Identifier.text(.template, uuid: [UInt8](repeating: 0, count: 15) + [UInt8(clamping: systems)])
        }
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try gate.admit(call)
        let id = call.parameter("template_id")
        if TemplateService.isOwn(id) { return .json(try service.find(id, caller).detailsJSON) }
        guard let template = try service.systems().first(where: { $0.id == id }) else { throw .notFound("template") }
        return .json(template.details)
    }

    private func build(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let version = query.number("version", 1...Int(Int32.max), &validation)
        query.refuseUnread(&validation)
        let caller = try gate.admit(call)
        if let error = validation.error { throw error }
        let id = call.parameter("template_id")
        let found = try gate.query { try service.store.build(id, version: version, account: caller.accountID) }
        guard let found else { throw .notFound("build") }
        return .json(found.version.buildJSON(of: id, log: found.log))
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
