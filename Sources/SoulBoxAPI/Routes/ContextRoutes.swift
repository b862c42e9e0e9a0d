internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/sandboxes/{id}/contexts`: interpreters whose state lasts from one execution to the next.
struct ContextRoutes: Sendable {
    private static let bodyLimit = 64 << 10

    let service: SandboxFileService

    private var platform: Platform { service.sandboxes.platform }

    /// The lines of the route table.
    var routes: [Route] {
        let all = "/api/sandboxes/{sandbox_id}/contexts"
        let one = all + "/{context_id}"
        return [
            Route("POST", all, .permission(.execute), .execution, create),
            Route("GET", all, .permission(.sandboxRead), .standard, list),
            Route("GET", one, .permission(.sandboxRead), .standard, show),
            Route("DELETE", one, .permission(.execute), .standard, remove),
            Route("POST", one + "/interrupt", .permission(.execute), .standard, interrupt),
            Route("POST", one + "/restart", .permission(.execute), .standard, restart),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, _) = try JSONBody.optionalObject(of: call.request, limit: ContextRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["cwd"], &validation)
        let directory = reader.plainString("cwd", &validation) ?? "/workspace"
        if let error = validation.error { throw error }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let id = Identifier.make(.context)
        let process = try start(id, in: directory.hasPrefix("/") ? directory : "/workspace/" + directory, sandbox)
        try? service.sandboxes.store.touch(sandbox.id)
        return .json(
            json(id, process, sandbox), status: 201,
            headers: [.init("Location", "/api/sandboxes/\(sandbox.identifier)/contexts/\(id)")])
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        return .json([
            "contexts": .array(try contexts(of: sandbox).map { json($0.id, $0.process, sandbox) })
        ])
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let context = try find(call, sandbox)
        return .json(json(context.id, context.process, sandbox))
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let context = try find(call, sandbox)
        try end(context.process, sandbox)
        return .json(["context_id": .string(context.id), "message": "Context ended successfully"])
    }

    private func interrupt(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let context = try find(call, sandbox)
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.signalProcess(
                context.process.pid, 2, in: sandbox.identifier, account: sandbox.account)  // SIGINT
        }
        return .json(json(context.id, context.process, sandbox))
    }

    private func restart(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let context = try find(call, sandbox)
        try end(context.process, sandbox)
        return .json(json(context.id, try start(context.id, in: "/workspace", sandbox), sandbox))
    }

    private func start(
        _ id: String, in directory: String, _ sandbox: AccountSandbox
    ) throws(APIError) -> SandboxProcess {
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.startProcess(
                context: id, environment: sandbox.environment, directory: directory, in: sandbox.identifier,
                account: sandbox.account)
        }
    }

    private func end(_ process: SandboxProcess, _ sandbox: AccountSandbox) throws(APIError) {
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.removeProcess(process.pid, in: sandbox.identifier, account: sandbox.account)
        }
    }

    /// The contexts of a sandbox: processes whose last argument is a context's identifier. The newest of each name.
    private func contexts(
        of sandbox: AccountSandbox
    ) throws(APIError) -> [(id: String, process: SandboxProcess)] {
        let processes = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.processes(in: sandbox.identifier, account: sandbox.account)
        }
        var found: [(id: String, process: SandboxProcess)] = []
        for process in processes {
            guard let id = process.arguments.last, Identifier.parse(id, .context) != nil else { continue }
            found.removeAll { $0.id == id }
            found.append((id, process))
        }
        return found
    }

    private func find(
        _ call: Route.Call, _ sandbox: AccountSandbox
    ) throws(APIError) -> (id: String, process: SandboxProcess) {
        let id = call.parameter("context_id")
        guard let context = try contexts(of: sandbox).first(where: { $0.id == id }) else { throw .notFound("context") }
        return context
    }

    private func json(_ id: String, _ process: SandboxProcess, _ sandbox: AccountSandbox) -> JSONValue {
        [
            "context_id": .string(id), "runtime": .string(sandbox.runtime.rawValue),
            "status": process.isRunning ? "running" : "ended", "created_at": .string(process.startedAt.rfc3339),
        ]
    }
}
