internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Answers the calls of one connection, one after the other.
struct ConnectionHandler {
    let isolator: Isolator
    let connection: VarlinkConnection
    let log: Logger
    private let files: FileCalls

    init(isolator: Isolator, connection: VarlinkConnection, log: Logger) {
        self.isolator = isolator
        self.connection = connection
        self.log = log
        files = FileCalls(isolator, connection)
    }

    /// Serves until the peer closes or breaks the protocol.
    func serve() {
        do throws(IsolationError) {
            while let message = try connection.receive(wait: true) { try answer(message) }
        } catch {
            if error.code != .unavailable { log.warning("connection closed", metadata: ["error": "\(error)"]) }
        }
    }

    private func answer(_ message: JSONValue) throws(IsolationError) {
        guard let method = message["method"]?.stringValue else { throw IsolationError(.protocolViolation, "no method") }
        let parameters = message["parameters"]
        switch method {
        case "io.soulbox.isolation.Execute":
            let execute = try ExecuteParameters(parameters, from: connection)
            guard message["more"]?.boolValue == true else {
                return try fail("org.varlink.service.ExpectedMore", [:])
            }
            try ExecutionSession(isolator: isolator, connection: connection, parameters: execute, log: log).run()
        case "io.soulbox.isolation.Terminate":
            guard let execution = parameters?["execution"]?.stringValue,
                let account = parameters?["account"]?.stringValue,
                let reason = parameters?["reason"]?.stringValue.flatMap(TerminationReason.init(rawValue:)),
                reason == .cancelled || reason == .outputLimit
            else { return try fail("org.varlink.service.InvalidParameter", ["parameter": "reason"]) }
            let entry = isolator.table.find(execution, account: account)
            entry?.end(reason)
            try reply(["terminated": .bool(entry != nil)])
        case "io.soulbox.isolation.SignalExecution":
            guard let execution = parameters?["execution"]?.stringValue,
                let account = parameters?["account"]?.stringValue,
                let number = parameters?["signal"]?.integerValue.flatMap(Int32.init(exactly:)),
                (1...64).contains(number)
            else { return try fail("org.varlink.service.InvalidParameter", ["parameter": "signal"]) }
            let isSent = isolator.table.find(execution, account: account)?.signal(number) ?? false
            try reply(["signalled": .bool(isSent)])
        case _ where SandboxCalls.methods.contains(method):
            try reply(about: parameters) { try SandboxCalls(isolator: isolator).answer(method, parameters ?? [:]) }
        case _ where ProcessCalls.methods.contains(method):
            try reply(about: parameters) {
                try ProcessCalls(isolator: isolator, caller: connection.pollDescriptor)
                    .answer(method, parameters ?? [:])
            }
        case _ where FileCalls.methods.contains(method):
            let result = Result { try files.answer(method, parameters ?? [:]) }
            guard case .failure(let error) = result else { return }
            if let error = error as? IsolationError, error.code == .unavailable { throw error }
            let told = note(error, about: parameters)
            try fail(told.varlinkName, told.varlinkParameters)
        case _ where TemplateCalls.methods.contains(method):
            try reply(about: parameters) { try TemplateCalls(isolator: isolator).answer(method, parameters ?? [:]) }
        case _ where SnapshotCalls.methods.contains(method):
            let tellsProgress = message["more"]?.boolValue == true
            try reply(about: parameters) {
                try SnapshotCalls(isolator: isolator).answer(method, parameters ?? [:]) { progress in
                    // A caller that has gone is no reason to give up: whoever asks again finds the snapshot.
                    guard tellsProgress else { return }
                    try? connection.send(["parameters": ["progress": progress.json], "continues": true])
                }
            }
        case "io.soulbox.isolation.ListImages":
            try reply(["images": .array(isolator.images.all().map(\.manifest.json))])
        case "io.soulbox.isolation.GetStatus": try reply(isolator.status.json)
        case "org.varlink.service.GetInfo":
            try reply([
                "vendor": "SoulBox", "product": "soulbox-isolator", "version": .string(isolator.configuration.version),
                "url": "", "interfaces": ["org.varlink.service", "io.soulbox.isolation"],
            ])
        case "org.varlink.service.GetInterfaceDescription":
            guard parameters?["interface"]?.stringValue == "io.soulbox.isolation" else {
                return try fail(
                    "org.varlink.service.InterfaceNotFound", ["interface": parameters?["interface"] ?? .null])
            }
            try reply(["description": .string(InterfaceDescription.text)])
        default: try fail("org.varlink.service.MethodNotFound", ["method": .string(method)])
        }
    }

    /// Replies with what `body` gives, or with why it failed.
    private func reply(about parameters: JSONValue?, _ body: () throws -> JSONValue) throws(IsolationError) {
        switch Result(catching: body) {
        case .success(let value): try reply(value)
        case .failure(let error):
            let told = note(error, about: parameters)
            try fail(told.varlinkName, told.varlinkParameters)
        }
    }

    /// What the caller is told of a failure; what went wrong in the service itself is logged.
    private func note(_ error: any Error, about parameters: JSONValue?) -> IsolationError {
        if let error = error as? IsolationError { return error }
        let sandbox = parameters?["sandbox"]?.stringValue
        let failure = error as? SandboxError
        if let failure, let sandbox, let account = parameters?["account"]?.stringValue,
            let absence = isolator.sandboxes.absence(of: sandbox, account: account, behind: failure)
        {
            return absence
        }
        let step = failure?.step.name ?? ""
        log.error(
            "sandbox failed",
            metadata: ["sandbox.id": "\(sandbox ?? "")", "step": "\(step)", "error": "\(error)"])
        return IsolationError(.isolationFailed, "\(error)")
    }

    private func reply(_ parameters: JSONValue) throws(IsolationError) {
        try connection.send(["parameters": parameters])
    }

    private func fail(_ name: String, _ parameters: JSONValue) throws(IsolationError) {
        try connection.send(["error": .string(name), "parameters": parameters])
    }
}
