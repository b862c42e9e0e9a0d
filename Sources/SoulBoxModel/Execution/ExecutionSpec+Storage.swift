extension ExecutionSpec {
    /// The spec as JSON, for the row of a queued execution; `init(storage:)` reads it back.
    public var storage: JSONValue {
        [
            "sandbox": JSONValue(sandbox), "context": JSONValue(context),
            "runtime": .string(runtime.rawValue),
            "template": .string(template),
            "entrypoint": JSONValue(entrypoint),
            "code": JSONValue(code),
            "files": .array(files.map { ["path": .string($0.path), "contents": .string(Base64.encode($0.contents))] }),
            "arguments": .array(arguments.map(JSONValue.string)),
            "environment": .array(environment.map { [.string($0.name), .string($0.value)] }),
            "stdin": JSONValue(stdin),
            "timeout_ms": JSONValue(limits.timeoutMilliseconds),
            "memory_bytes": JSONValue(limits.memoryBytes),
            "cpu_millicores": JSONValue(limits.cpuMillicores),
            "processes": JSONValue(limits.processes),
            "network_access": .bool(networkAccess),
        ]
    }

    /// The spec that `storage` wrote; nil when the value is none.
    public init?(storage: JSONValue) {
        guard let runtime = storage["runtime"]?.stringValue.flatMap(Runtime.init(rawValue:)),
            let template = storage["template"]?.stringValue, let timeout = storage["timeout_ms"]?.integerValue,
            let memory = storage["memory_bytes"]?.integerValue, let cpu = storage["cpu_millicores"]?.integerValue,
            let processes = storage["processes"]?.integerValue
        else { return nil }
        var files: [InputFile] = []
        for file in storage["files"]?.arrayValue ?? [] {
            guard let path = file["path"]?.stringValue, let text = file["contents"]?.stringValue,
                let contents = Base64.decode(text)
            else { return nil }
            files.append(InputFile(path: path, contents: contents))
        }
        var environment: [Variable] = []
        for pair in storage["environment"]?.arrayValue ?? [] {
            guard let pair = pair.arrayValue, pair.count == 2, let name = pair[0].stringValue,
                let value = pair[1].stringValue
            else { return nil }
            environment.append(Variable(name: name, value: value))
        }
        self.init(
            sandbox: storage["sandbox"]?.stringValue, context: storage["context"]?.stringValue, runtime: runtime,
            template: template,
            entrypoint: storage["entrypoint"]?.stringValue,
            code: storage["code"]?.stringValue, files: files,
            arguments: storage["arguments"]?.arrayValue?.compactMap(\.stringValue) ?? [], environment: environment,
            stdin: storage["stdin"]?.stringValue,
            limits: ExecutionLimits(
                timeoutMilliseconds: Int(timeout), memoryBytes: memory, cpuMillicores: Int(cpu),
                processes: Int(processes)),
            networkAccess: storage["network_access"]?.boolValue ?? false)
    }
}
