internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// The calls about the background processes of persistent sandboxes.
struct ProcessCalls {
    static let methods: Set<String> = [
        "StartProcess", "ListProcesses", "ReadProcess", "WriteProcess", "SignalProcess", "RemoveProcess",
    ].reduce(into: []) { $0.insert("io.soulbox.isolation." + $1) }

    /// Bytes of output in one reply, about: a message has a size.
    private static let batch = 96 << 10

    let isolator: Isolator
    /// The caller's connection; its hang-up ends waiting.
    let caller: CInt

    /// Carries a call out and gives the reply's parameters.
    func answer(_ method: String, _ parameters: JSONValue) throws -> JSONValue {
        let id = try SandboxCalls.text("sandbox", parameters)
        let account = try SandboxCalls.text("account", parameters)
        let managed = try isolator.sandboxes.find(id, account: account)
        guard let sandbox = managed.running else {
            throw IsolationError(.sandboxNotRunning, managed.inspect().phase.rawValue)
        }
        let programs = BackgroundPrograms(sandbox: sandbox, filters: isolator.filters)
        let name = method.split(separator: ".").last ?? ""
        switch name {
        case "StartProcess":
            managed.endWaiting()
            return ["process": try start(programs, managed, parameters).process.json]
        case "ListProcesses": return ["processes": .array(try programs.list().map(\.process.json))]
        default: break
        }
        guard let pid = parameters["process"]?.integerValue.flatMap(Int32.init(exactly:)), pid > 1 else {
            throw IsolationError(.notFound, "there is no such process")
        }
        switch name {
        case "ReadProcess": return try read(programs, pid, parameters)
        case "WriteProcess":
            guard let bytes = parameters["data"]?.stringValue.flatMap(Base64.decode), bytes.count <= 64 << 10 else {
                throw IsolationError(.invalidSpec, "malformed data")
            }
            return [
                "written": JSONValue(try programs.write(pid, bytes, closes: parameters["close"]?.boolValue == true))
            ]
        case "SignalProcess":
            guard let number = parameters["signal"]?.integerValue.flatMap(Int32.init(exactly:)),
                (1...64).contains(number)
            else { throw IsolationError(.invalidSpec, "no such signal") }
            try programs.signal(pid, number)
            return [:]
        default:
            try programs.remove(pid)
            return [:]
        }
    }

    private func start(
        _ programs: BackgroundPrograms, _ managed: ManagedSandbox, _ parameters: JSONValue
    ) throws -> InitMessage.BackgroundProgram {
        guard let image = isolator.images.image(named: managed.imageName, account: managed.account) else {
            throw IsolationError(.templateNotFound, managed.imageName)
        }
        let arguments = (parameters["arguments"]?.arrayValue ?? []).compactMap(\.stringValue)
        let variables = (parameters["environment"]?.arrayValue ?? []).compactMap { item -> ExecutionSpec.Variable? in
            guard let name = item["name"]?.stringValue, let value = item["value"]?.stringValue else { return nil }
            return .init(name: name, value: value)
        }
        let directory = try SandboxCalls.text("directory", parameters)
        try CallCheck.validate(arguments: arguments, environment: variables)
        let context = parameters["context"]?.stringValue
        guard context != nil || arguments.first?.isEmpty == false, directory.hasPrefix("/"),
            !directory.utf8.contains(0), directory.utf8.count < 4096
        else { throw IsolationError(.invalidSpec, "malformed command") }
        let limits = managed.limits
        let line = CommandLine(
            entrypoint: "", build: CommandLine.buildDirectory, memoryBytes: limits.memoryBytes,
            cpuMillicores: limits.cpuMillicores)
        var command = ImageManifest.Command(arguments: [], environment: [])
        if let context {
            guard let interpreter = image.manifest.context else {
                throw IsolationError(.conflict, "this sandbox's template has no contexts")
            }
            guard (1...64).contains(context.utf8.count), !context.utf8.contains(0) else {
                throw IsolationError(.invalidSpec, "malformed context")
            }
            command = interpreter
        }
        return try programs.start(
            arguments: context.map { line.arguments(of: command, adding: [$0]) } ?? arguments,
            environment: line.environment(
                of: command, template: image.manifest.environment, request: image.variables + variables),
            directory: directory, limits: limits)
    }

    private func read(
        _ programs: BackgroundPrograms, _ pid: Int32, _ parameters: JSONValue
    ) throws -> JSONValue {
        var offset = UInt64(clamping: parameters["offset"]?.integerValue ?? 0)
        var wait = Int(clamping: min(max(0, parameters["wait_ms"]?.integerValue ?? 0), 60_000))
        var entries: [JSONValue] = []
        var size = 0
        var isOver = false
        while size < ProcessCalls.batch {
            let piece = try programs.read(pid, after: offset, waiting: wait, caller: caller)
            wait = 0
            guard !piece.bytes.isEmpty else {
                isOver = piece.isOver
                offset = max(offset, piece.offset)
                break
            }
            entries.append([
                "stream": piece.stream == 1 ? "stdout" : "stderr", "offset": .integer(Int64(clamping: piece.offset)),
                "data": .string(Base64.encode(piece.bytes)),
            ])
            size += piece.bytes.count
            offset = piece.offset + UInt64(piece.bytes.count)
        }
        return ["entries": .array(entries), "next": .integer(Int64(clamping: offset)), "over": .bool(isOver)]
    }
}

extension InitMessage.BackgroundProgram {
    /// The process as callers are told of it.
    var process: SandboxProcess {
        let signal = status.map { $0 & 0x7F } ?? 0
        return SandboxProcess(
            pid: pid, arguments: arguments, startedAt: Timestamp(microseconds: startedAt), isRunning: status == nil,
            exitCode: signal == 0 ? status.map { Int($0 >> 8 & 0xFF) } : nil,
            signal: signal == 0 ? nil : SignalName.of(signal))
    }
}
