public import LinuxKernel
public import SoulBoxModel

/// The parameters of `Execute` as the service receives them, with the descriptors that came along.
public struct ExecuteParameters: Sendable {
    /// What is asked for; its descriptor fields are the raw values of those below.
    public let call: ExecuteCall

    /// Owners of the descriptors that `call` names.
    public let descriptors: [SharedDescriptor]

    private static let names: Set<String> = [
        "execution", "account", "request", "sandbox", "context", "scratch", "template", "entrypoint", "arguments",
        "environment", "limits", "network", "files",
        "artifact_limits", "input", "stdin", "stdout", "stderr", "compile_output", "terminal", "command",
    ]

    /// Reads parameters and takes their descriptors from the connection.
    public init(_ value: JSONValue?, from connection: VarlinkConnection) throws(IsolationError) {
        guard let object = value?.objectValue else { throw IsolationError(.protocolViolation, "no parameters") }
        // The descriptors first: a refused call must leave none behind.
        var indices: [String: Int] = [:]
        for name in ["input", "stdin", "stdout", "stderr", "compile_output"] {
            guard let field = object[name], !field.isNull else { continue }
            guard let index = field.integerValue, index == indices.count else {
                throw IsolationError(.protocolViolation, "\(name) is not the next descriptor")
            }
            indices[name] = Int(index)
        }
        let taken = try connection.takeDescriptors(indices.count)
        descriptors = taken
        func raw(_ name: String) -> CInt? { indices[name].map { taken[$0].rawValue } }
        guard let stdout = raw("stdout"), let stderr = raw("stderr") else {
            throw IsolationError(.protocolViolation, "stdout and stderr are required")
        }
        for name in object.names where !ExecuteParameters.names.contains(name) {
            throw IsolationError(.protocolViolation, "unknown field")
        }
        func text(_ name: String) throws(IsolationError) -> String {
            guard let value = object[name]?.stringValue else {
                throw IsolationError(.protocolViolation, "\(name) is missing")
            }
            return value
        }
        func integer(_ value: JSONValue?, _ name: String) throws(IsolationError) -> Int64 {
            guard let value = value?.integerValue else {
                throw IsolationError(.protocolViolation, "\(name) is missing")
            }
            return value
        }
        let limits = object["limits"]
        var network = SandboxNetwork.none
        if let field = object["network"], !field.isNull {
            guard let given = SandboxNetwork(json: field) else {
                throw IsolationError(.protocolViolation, "network is malformed")
            }
            network = given
        }
        let artifactLimits = object["artifact_limits"]
        var files: [ExecuteCall.File] = []
        for file in object["files"]?.arrayValue ?? [] {
            guard let path = file["path"]?.stringValue else { throw IsolationError(.protocolViolation, "files.path") }
            files.append(
                ExecuteCall.File(
                    path: path, offset: Int(try integer(file["offset"], "files.offset")),
                    size: Int(try integer(file["size"], "files.size"))))
        }
        var environment: [ExecutionSpec.Variable] = []
        for variable in object["environment"]?.arrayValue ?? [] {
            guard let name = variable["name"]?.stringValue, let value = variable["value"]?.stringValue else {
                throw IsolationError(.protocolViolation, "environment")
            }
            environment.append(.init(name: name, value: value))
        }
        var terminal: TerminalSize?
        if let size = object["terminal"], !size.isNull {
            terminal = TerminalSize(
                rows: UInt16(clamping: try integer(size["rows"], "terminal.rows")),
                columns: UInt16(clamping: try integer(size["columns"], "terminal.columns")))
        }
        call = ExecuteCall(
            execution: try text("execution"), account: try text("account"), request: object["request"]?.stringValue,
            sandbox: object["sandbox"]?.stringValue, context: object["context"]?.stringValue,
            scratch: object["scratch"]?.stringValue,
            template: try text("template"),
            entrypoint: object["entrypoint"]?.stringValue,
            arguments: object["arguments"]?.arrayValue?.compactMap(\.stringValue) ?? [], environment: environment,
            limits: ExecutionLimits(
                timeoutMilliseconds: Int(try integer(limits?["timeout_ms"], "timeout_ms")),
                memoryBytes: try integer(limits?["memory"], "memory"),
                cpuMillicores: Int(try integer(limits?["cpu_millicores"], "cpu_millicores")),
                processes: Int(try integer(limits?["processes"], "processes"))),
            network: network, files: files,
            artifactLimits: ExecuteCall.ArtifactLimits(
                each: try integer(artifactLimits?["each"], "each"),
                total: try integer(artifactLimits?["total"], "total"),
                count: Int(try integer(artifactLimits?["count"], "count"))),
            input: raw("input"), stdin: raw("stdin"), stdout: stdout, stderr: stderr,
            compileOutput: raw("compile_output"), terminal: terminal,
            command: object["command"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
}
