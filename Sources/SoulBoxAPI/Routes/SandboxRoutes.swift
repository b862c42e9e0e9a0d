internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/sandboxes`: make, look after and remove persistent sandboxes.
struct SandboxRoutes: Sendable {
    let service: SandboxService
    let files: SandboxFileService

    private var platform: Platform { service.platform }

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/sandboxes", .permission(.sandboxWrite), .standard, create),
            Route("GET", "/api/sandboxes", .permission(.sandboxRead), .standard, list),
            Route("GET", "/api/sandboxes/{sandbox_id}", .permission(.sandboxRead), .standard, show),
            Route("PUT", "/api/sandboxes/{sandbox_id}", .permission(.sandboxWrite), .standard, update),
            Route("DELETE", "/api/sandboxes/{sandbox_id}", .permission(.sandboxWrite), .standard, remove),
            Route("POST", "/api/sandboxes/{sandbox_id}/start", .permission(.sandboxWrite), .standard, start),
            Route("POST", "/api/sandboxes/{sandbox_id}/stop", .permission(.sandboxWrite), .standard, stop),
            Route("POST", "/api/sandboxes/{sandbox_id}/pause", .permission(.sandboxWrite), .standard, pause),
            Route("POST", "/api/sandboxes/{sandbox_id}/resume", .permission(.sandboxWrite), .standard, resume),
            Route("GET", "/api/sandboxes/{sandbox_id}/events", .permission(.sandboxRead), .standard, events),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: service.bounds.body)
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let waits = query.bool("wait", &validation) ?? false
        query.refuseUnread(&validation)
        let request = SandboxRequest(object, isNew: true, within: service.bounds, &validation)
        let template = try service.template(request, caller, &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        var sandbox: AccountSandbox?
        if let template {
            let new = new(request, template, caller)
            checkEnvironment(new, &validation)
            sandbox = new
        }
        if let error = validation.error { throw error }
        guard let sandbox else { throw .internalError }
        if request.onIdle == .pause { try service.requireMemorySnapshots() }
        let response = try platform.once(call, caller, idempotency, status: 201) { transaction throws(APIError) in
            let refusal = try platform.gate.query {
                try service.store.create(sandbox, key: caller.keyID, in: transaction)
            }
            if let refusal { throw .quota(refusal) }
            return sandbox.createdJSON
        }
        guard let id = (try? JSONParser.parse(response.body))?["sandbox_id"]?.stringValue else { return response }
        let located = response.adding(.init("Location", "/api/sandboxes/\(id)"))
        guard waits else {
            // One that is repeated is made already, or will be.
            if id == sandbox.identifier { service.maker.add(sandbox) }
            return located
        }
        // What a repeated request has made before may be another by now; this one has just been noted.
        let noted = id == sandbox.identifier ? sandbox : try service.find(id, caller)
        if noted.status == .creating { try service.isolate { try service.keeper.make(noted) } }
        return HTTPResponse(
            status: 201, headers: located.headers, body: try service.find(id, caller).createdJSON.bytes)
    }

    private func new(_ request: SandboxRequest, _ template: TemplateChoice, _ caller: Caller) -> AccountSandbox {
        let bounds = service.bounds
        let id = Identifier.makeUUID()
        var sandbox = AccountSandbox(
            id: id, accountID: caller.accountID, name: Identifier.text(.sandbox, uuid: id),
            runtime: template.manifest.runtime, template: template.id,
            memoryBytes: max(bounds.defaultMemory, template.manifest.minimumMemoryBytes),
            cpuMillicores: bounds.defaultCPU, processes: bounds.processes, diskBytes: bounds.defaultDisk)
        sandbox.templateVersion = template.version
        return request.apply(to: sandbox)
    }

    private func checkEnvironment(_ sandbox: AccountSandbox, _ validation: inout Validation) {
        let size = sandbox.environment.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }
        if sandbox.environment.count > service.bounds.variables || size > service.bounds.environmentBytes {
            validation.fail(
                "environment",
                "Must be at most \(service.bounds.variables) variables of \(service.bounds.environmentBytes) bytes in all"
            )
        }
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let status: SandboxStatus? = query.choice("status", &validation)
        var runtime: Runtime?
        if let name = query.text("runtime") {
            runtime = Runtime(alias: name)
            if runtime == nil { validation.fail("runtime", "Unsupported language: \(name.prefix(50))") }
        }
        let page = query.page(.sandbox, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query { [runtime] in
            try service.store.list(account: caller.accountID, status: status, runtime: runtime, page: page)
        }
        return Paging.response(
            "sandboxes", listing.items.map(\.summaryJSON), total: listing.total, page,
            next: listing.items.last?.identifier, call.request, inBody: true)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        return try details(call.parameter("sandbox_id"), caller)
    }

    private func details(_ id: String, _ caller: Caller) throws(APIError) -> HTTPResponse {
        let noted = try service.find(id, caller)
        let state = service.state(of: noted)
        // It may have been brought in line with what is.
        let sandbox = try service.find(id, caller)
        return .json(sandbox.detailsJSON(state, files: files.summary(of: sandbox)))
    }

    private func update(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: service.bounds.body)
        var validation = Validation()
        let request = SandboxRequest(object, isNew: false, within: service.bounds, &validation)
        _ = bytes
        if let error = validation.error { throw error }
        if request.onIdle == .pause { try service.requireMemorySnapshots() }
        let id = call.parameter("sandbox_id")
        _ = try platform.once(call, caller, nil, status: 200) { transaction throws(APIError) in
            let known = try platform.gate.query {
                try service.store.find(id, account: caller.accountID, in: transaction)
            }
            guard let known else { throw .notFound("sandbox") }
            let changed = request.apply(to: known)
            var validation = Validation()
            checkEnvironment(changed, &validation)
            if changed.diskBytes < known.diskBytes {
                validation.fail(
                    "resources.disk_limit", "A disk can only grow; it has \(ByteSize.text(known.diskBytes))")
            }
            if let error = validation.error { throw error }
            let refusal = try platform.gate.query {
                try service.store.update(changed, moreDisk: changed.diskBytes - known.diskBytes, in: transaction)
            }
            if let refusal { throw .quota(refusal) }
            // Before the change is committed: what the kernel refuses is not noted.
            if changed.limits != known.limits || changed.network != known.network, known.status != .creating {
                try service.isolate {
                    _ = try service.keeper.connections.with { connection throws(IsolationError) in
                        try connection.updateSandbox(
                            id, account: known.account, limits: changed.limits, network: changed.network)
                    }
                }
            }
            return changed.createdJSON
        }
        return try details(id, caller)
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let force = query.bool("force", &validation) ?? false
        let keepSnapshots = query.bool("keep_snapshots", &validation) ?? false
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let id = call.parameter("sandbox_id")
        let sandbox = try service.find(id, caller)
        if !force, let state = service.state(of: sandbox), state.processes > 0 {
            throw .busy(executions: state.executions, processes: state.processes)
        }
        let deletion = try platform.gate.query {
            try service.store.beginDeletion(id, account: caller.accountID, force: force, keepSnapshots: keepSnapshots)
        }
        switch deletion {
        case .notFound: throw .notFound("sandbox")
        case .busy(let executions): throw .busy(executions: Int(executions), processes: 0)
        case .begun(let sandbox):
            // From here on it is gone for its account; what cannot go now goes with the scheduler's sweep.
            try? service.keeper.remove(sandbox)
        }
        return .json([
            "sandbox_id": .string(id), "status": "deleted", "message": "Sandbox deleted successfully",
        ])
    }

    private func start(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.find(call.parameter("sandbox_id"), caller)
        if sandbox.status == .creating {
            try service.isolate { try service.keeper.make(sandbox) }
        } else {
            try service.isolate { try service.keeper.start(sandbox) }
        }
        return try details(sandbox.identifier, caller)
    }

    private func stop(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.find(call.parameter("sandbox_id"), caller)
        if sandbox.status == .creating { try service.isolate { try service.keeper.make(sandbox) } }
        try service.isolate { try service.keeper.stop(sandbox) }
        return try details(sandbox.identifier, caller)
    }

    private func pause(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.find(call.parameter("sandbox_id"), caller)
        if sandbox.status == .creating { try service.isolate { try service.keeper.make(sandbox) } }
        if sandbox.status != .paused { try service.requireMemorySnapshots() }
        try service.isolate { try service.keeper.pause(sandbox) }
        return try details(sandbox.identifier, caller)
    }

    private func resume(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.find(call.parameter("sandbox_id"), caller)
        if sandbox.status == .creating { try service.isolate { try service.keeper.make(sandbox) } }
        try service.isolate { try service.keeper.resume(sandbox) }
        return try details(sandbox.identifier, caller)
    }

    private func events(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let page = query.page(.event, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let listing = try platform.gate.query {
            try service.store.events(call.parameter("sandbox_id"), account: caller.accountID, page: page)
        }
        guard let listing else { throw .notFound("sandbox") }
        return Paging.response(
            "events", listing.items.map(\.json), total: listing.total, page,
            next: listing.items.last.map { Identifier.text(.event, uuid: $0.id) }, call.request)
    }
}

extension APIError {
    /// Something runs in the sandbox.
    static func busy(executions: Int, processes: Int) -> APIError {
        APIError(
            .conflict, "Something runs in the sandbox; with force=true it is ended",
            details: JSONObject([
                ("executions_running", JSONValue(executions)), ("processes_running", JSONValue(processes)),
            ]))
    }
}
