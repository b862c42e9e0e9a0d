internal import SoulBoxModel
internal import SoulBoxStore

/// The body of `POST /execute`, checked as far as it can be without knowing the templates.
struct ExecuteRequest: Equatable {
    /// The sandbox that the body names, as it was written.
    var sandbox: String?
    /// The context that is to run the code.
    var context: String?
    var runtime: Runtime?
    var template: String?
    var version: String?
    var entrypoint: String?
    var code: String?
    var files: [InputFile] = []
    var arguments: [String] = []
    var environment: [ExecutionSpec.Variable] = []
    var stdin: String?
    var limits = ExecutionLimits()
    /// Whether a sandbox made for it reaches everything public.
    var networkAccess = false
    var isAsync = false

    private static let fields: Set<String> = [
        "language", "template", "version", "entrypoint", "code", "files", "args", "environment", "stdin", "timeout",
        "memory_limit", "cpu_limit", "network_access", "async", "sandbox_id",
        "context_id",
    ]

    /// Reads a body; what is wrong is noted, and the value is of use only if nothing was.
    ///
    /// - Parameter target: The sandbox that the path names, or that the body's `sandbox_id` does.
    init(
        _ object: JSONObject, within limits: ExecuteLimits, in target: AccountSandbox? = nil,
        _ validation: inout Validation
    ) {
        let reader = FieldReader(object)
        sandbox = reader.plainString("sandbox_id", &validation)
        if let target { take(target) }
        readContext(reader, target, &validation)
        readLanguage(reader, &validation)
        readProgram(reader, limits, &validation)
        files = ExecuteRequest.files(reader, limits, &validation)
        readStrings(reader, limits, &validation)
        readLimits(reader, limits, &validation)
        readNetwork(reader, target, &validation)
        isAsync = reader.bool("async", &validation) ?? false
        checkMessageSize(limits, &validation)
        reader.refuseUnknown(except: ExecuteRequest.fields, &validation)
    }

    private mutating func readContext(
        _ reader: FieldReader, _ sandbox: AccountSandbox?, _ validation: inout Validation
    ) {
        context = reader.plainString("context_id", &validation)
        guard let context else { return }
        if sandbox == nil { validation.fail("context_id", "Needs a sandbox_id") }
        if Identifier.parse(context, .context) == nil { validation.fail("context_id", "Is no context's identifier") }
        for name in ["entrypoint", "args", "stdin"] where reader.value(name) != nil {
            validation.fail(name, "Has no meaning in a context")
        }
    }

    /// What a sandbox's executions have unless they say otherwise.
    private mutating func take(_ sandbox: AccountSandbox) {
        self.sandbox = sandbox.identifier
        runtime = sandbox.runtime
        limits.memoryBytes = sandbox.memoryBytes
        limits.cpuMillicores = sandbox.cpuMillicores
        limits.processes = sandbox.processes
    }

    /// A persistent sandbox has its own; asked for where that has none, it is refused and not left out.
    private mutating func readNetwork(
        _ reader: FieldReader, _ sandbox: AccountSandbox?, _ validation: inout Validation
    ) {
        guard reader.bool("network_access", &validation) == true else { return }
        networkAccess = sandbox == nil
        if let sandbox, !sandbox.networkEnabled {
            validation.fail("network_access", "The sandbox has no network access")
        }
    }

    private mutating func readLanguage(_ reader: FieldReader, _ validation: inout Validation) {
        if let language = reader.string("language", &validation) {
            runtime = Runtime(alias: language)
            if runtime == nil {
                validation.fail("language", "Unsupported language: \(language.prefix(100))")
            }
        } else if reader.value("language") == nil, runtime == nil {
            validation.fail("language", "Is required")
        }
        template = reader.plainString("template", &validation)
        version = reader.plainString("version", &validation)
    }

    private mutating func readProgram(
        _ reader: FieldReader, _ limits: ExecuteLimits, _ validation: inout Validation
    ) {
        entrypoint = reader.plainString("entrypoint", &validation)
        if let entrypoint, let problem = FileName.problem(entrypoint) ?? FileName.optionProblem(entrypoint) {
            validation.fail("entrypoint", problem)
        }
        code = reader.string("code", &validation)
        if let code, code.utf8.count > limits.code {
            validation.fail("code", "Must be at most \(limits.code) bytes long")
        }
        if reader.value("code") == nil, reader.value("entrypoint") == nil { validation.fail("code", "Is required") }
        stdin = reader.string("stdin", &validation)
        if let stdin, stdin.utf8.count > limits.stdin {
            validation.fail("stdin", "Must be at most \(limits.stdin) bytes long")
        }
    }

    private mutating func readStrings(
        _ reader: FieldReader, _ limits: ExecuteLimits, _ validation: inout Validation
    ) {
        let values = reader.array("args", &validation) ?? []
        if values.count > limits.strings {
            validation.fail("args", "Must have at most \(limits.strings) elements")
        } else {
            for (index, value) in values.enumerated() {
                let field = "args[\(index)]"
                guard let text = FieldReader.plainText(value, field, atMost: limits.stringBytes, &validation) else {
                    continue
                }
                arguments.append(text)
            }
        }
        environment = reader.variables(
            "environment", atMost: limits.strings, of: limits.stringBytes, &validation
        ).compactMap { name, value in value.map { .init(name: name, value: $0) } }
    }

    private mutating func readLimits(
        _ reader: FieldReader, _ bounds: ExecuteLimits, _ validation: inout Validation
    ) {
        if let timeout = reader.integer("timeout", &validation) {
            if bounds.timeout.contains(timeout) {
                limits.timeoutMilliseconds = Int(timeout) * 1000
            } else {
                validation.fail(
                    "timeout", "Must be from \(bounds.timeout.lowerBound) to \(bounds.timeout.upperBound) seconds")
            }
        }
        if let bytes = reader.size("memory_limit", bounds.memory, &validation) { limits.memoryBytes = bytes }
        if let cores = reader.cores("cpu_limit", bounds.cpu, &validation) { limits.cpuMillicores = cores }
    }

    /// Arguments, variables and names go to the isolation service in one message, which has a size.
    private func checkMessageSize(_ limits: ExecuteLimits, _ validation: inout Validation) {
        var size = 0
        for text in arguments + files.map(\.path) { size += JSONValue.string(text).bytes.count + 64 }
        for variable in environment {
            size += JSONValue.string(variable.name).bytes.count + JSONValue.string(variable.value).bytes.count + 32
        }
        guard size > limits.messageBytes else { return }
        validation.fail(
            arguments.isEmpty ? environment.isEmpty ? "files" : "environment" : "args",
            "Arguments, environment and file names together must be at most \(limits.messageBytes) bytes of JSON")
    }
}
