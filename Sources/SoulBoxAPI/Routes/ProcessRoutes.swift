internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/sandboxes/{id}/processes`: programs that run on in the background.
struct ProcessRoutes: Sendable {
    private static let bodyLimit = 512 << 10
    /// Bytes of one write to a process's input.
    private static let inputLimit = 64 << 10
    /// How long a look at new output waits before it looks whether the client is still there.
    private static let followMilliseconds = 1000

    let service: SandboxFileService

    private var platform: Platform { service.sandboxes.platform }

    /// The lines of the route table.
    var routes: [Route] {
        let all = "/api/sandboxes/{sandbox_id}/processes"
        let one = all + "/{pid}"
        return [
            Route("POST", all, .permission(.execute), .execution, start),
            Route("GET", all, .permission(.sandboxRead), .standard, list),
            Route("GET", one, .permission(.sandboxRead), .standard, show),
            Route("DELETE", one, .permission(.execute), .standard, remove),
            Route("GET", one + "/logs", .permission(.sandboxRead), .standard, logs),
            Route("POST", one + "/stdin", .permission(.execute), .standard, input),
            Route("POST", one + "/signal", .permission(.execute), .standard, signal),
        ]
    }

    private func start(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: ProcessRoutes.bodyLimit)
        var validation = Validation()
        let request = ProcessRequest(object, &validation)
        if let error = validation.error { throw error }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let inherited = sandbox.environment.filter { known in
            !request.environment.contains { $0.name == known.name }
        }
        let process = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.startProcess(
                arguments: request.arguments, environment: inherited + request.environment,
                directory: request.directory, in: sandbox.identifier, account: sandbox.account)
        }
        try? service.sandboxes.store.touch(sandbox.id)
        return .json(
            process.apiJSON, status: 201,
            headers: [.init("Location", "/api/sandboxes/\(sandbox.identifier)/processes/\(process.pid)")])
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        return .json(["processes": .array(try processes(of: sandbox).map(\.apiJSON))])
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        return .json(try process(call, sandbox).apiJSON)
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let pid = try ProcessRoutes.pid(call)
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.removeProcess(pid, in: sandbox.identifier, account: sandbox.account)
        }
        return .json(["pid": JSONValue(Int(pid)), "message": "Process ended successfully"])
    }

    func logs(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let offset = query.number("offset", 0...Int.max, &validation) ?? 0
        let follows = query.bool("follow", &validation) ?? false
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let process = try process(call, sandbox)
        guard follows else {
            let output = try service.isolate(sandbox) { connection throws(IsolationError) in
                try connection.readProcess(
                    process.pid, after: Int64(offset), waitMilliseconds: 0, in: sandbox.identifier,
                    account: sandbox.account)
            }
            return .json([
                "entries": .array(output.entries.map(\.json)), "next_offset": .integer(output.next),
                "process": process.apiJSON,
            ])
        }
        return HTTPResponse(
            status: 200, headers: [.init("Content-Type", "application/x-ndjson"), .init("X-Accel-Buffering", "no")],
            stream: BodyStream { [service] send in
                try ProcessRoutes.follow(process.pid, sandbox, from: Int64(offset), service, send)
            })
    }

    /// A line for each piece of output as it comes, and a last one that tells how the process ended.
    private static func follow(
        _ pid: Int32, _ sandbox: AccountSandbox, from offset: Int64, _ service: SandboxFileService,
        _ send: BodyStream.Send
    ) throws {
        var next = offset
        while true {
            let output = try service.isolate(sandbox) { connection throws(IsolationError) in
                try connection.readProcess(
                    pid, after: next, waitMilliseconds: followMilliseconds, in: sandbox.identifier,
                    account: sandbox.account)
            }
            next = output.next
            // An empty line between pieces shows whether anybody is still there, and keeps the connection open.
            let lines = output.entries.isEmpty && !output.isOver ? [[]] : output.entries.map(\.json.bytes)
            try send(lines.flatMap { $0 + [UInt8(ascii: "\n")] })
            guard output.isOver else { continue }
            let processes = try service.isolate(sandbox) { connection throws(IsolationError) in
                try connection.processes(in: sandbox.identifier, account: sandbox.account)
            }
            guard let process = processes.first(where: { $0.pid == pid }) else { return }
            return try send(JSONValue.object(JSONObject([("process", process.apiJSON)])).bytes + [UInt8(ascii: "\n")])
        }
    }

    private func input(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: ProcessRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["data", "encoding", "close"], &validation)
        let text = reader.string("data", &validation) ?? ""
        let encoding = reader.string("encoding", &validation) ?? "utf-8"
        let closes = reader.bool("close", &validation) ?? false
        var bytes = Array(text.utf8)
        switch encoding {
        case "utf-8": break
        case "base64":
            if let decoded = Base64.decode(text) { bytes = decoded } else { validation.fail("data", "Is not base64") }
        default: validation.fail("encoding", "Must be one of: utf-8, base64")
        }
        if bytes.count > ProcessRoutes.inputLimit {
            validation.fail("data", "Must be at most \(ProcessRoutes.inputLimit) bytes")
        }
        if bytes.isEmpty, !closes, !validation.hasFailed("data") { validation.fail("data", "Is required") }
        if let error = validation.error { throw error }
        let pid = try ProcessRoutes.pid(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let data = bytes
        let written = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.writeProcess(pid, data, closing: closes, in: sandbox.identifier, account: sandbox.account)
        }
        try? service.sandboxes.store.touch(sandbox.id)
        return .json(["written": JSONValue(written), "closed": .bool(closes && written == data.count)])
    }

    private func signal(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: ProcessRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["signal"], &validation)
        let value = reader.value("signal")
        let number = value?.integerValue.flatMap(Int32.init(exactly:)) ?? value?.stringValue.flatMap(SignalName.number)
        if number.map({ (1...64).contains($0) }) != true {
            validation.fail("signal", "Must be a signal's name as SIGTERM, or its number")
        }
        if let error = validation.error { throw error }
        guard let number else { throw .internalError }
        let pid = try ProcessRoutes.pid(call)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.signalProcess(pid, number, in: sandbox.identifier, account: sandbox.account)
        }
        return .json(["pid": JSONValue(Int(pid)), "signal": .string(SignalName.of(number))])
    }

    private func processes(of sandbox: AccountSandbox) throws(APIError) -> [SandboxProcess] {
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.processes(in: sandbox.identifier, account: sandbox.account)
        }
    }

    private func process(_ call: Route.Call, _ sandbox: AccountSandbox) throws(APIError) -> SandboxProcess {
        let pid = try ProcessRoutes.pid(call)
        guard let process = try processes(of: sandbox).first(where: { $0.pid == pid }) else {
            throw .notFound("process")
        }
        return process
    }

    private static func pid(_ call: Route.Call) throws(APIError) -> Int32 {
        let text = call.parameter("pid")
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let pid = Int32(text) else {
            throw .notFound("process")
        }
        return pid
    }
}

extension SandboxProcess {
    /// The process as the API shows it.
    var apiJSON: JSONValue {
        [
            "pid": JSONValue(Int(pid)), "argv": .array(arguments.map(JSONValue.string)),
            "status": isRunning ? "running" : "exited", "started_at": .string(startedAt.rfc3339),
            "exit_code": JSONValue(exitCode), "signal": JSONValue(signal),
        ]
    }
}

extension ProcessOutput.Entry {
    /// The piece as the API shows it.
    var json: JSONValue {
        let text = String(validating: bytes, as: UTF8.self)
        return [
            "stream": .string(stream), "data": .string(text ?? Base64.encode(bytes)),
            "encoding": text == nil ? "base64" : "utf-8", "offset": .integer(offset),
        ]
    }
}
