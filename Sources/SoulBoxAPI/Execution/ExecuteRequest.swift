internal import SoulBoxModel

/// The body of `POST /execute`, checked as far as it can be without knowing the templates.
struct ExecuteRequest: Equatable {
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
    var isAsync = false

    private static let fields: Set<String> = [
        "language", "template", "version", "entrypoint", "code", "files", "args", "environment", "stdin", "timeout",
        "memory_limit", "cpu_limit", "network_access", "async",
    ]

    /// Reads a body; what is wrong is noted, and the value is of use only if nothing was.
    init(_ object: JSONObject, within limits: ExecuteLimits, _ validation: inout Validation) {
        let reader = FieldReader(object)
        readLanguage(reader, &validation)
        readProgram(reader, limits, &validation)
        files = ExecuteRequest.files(reader, limits, &validation)
        readStrings(reader, limits, &validation)
        readLimits(reader, limits, &validation)
        if reader.bool("network_access", &validation) == true {
            validation.fail("network_access", "Network access is not available on this installation")
        }
        isAsync = reader.bool("async", &validation) ?? false
        checkMessageSize(limits, &validation)
        reader.refuseUnknown(except: ExecuteRequest.fields, &validation)
    }

    private mutating func readLanguage(_ reader: FieldReader, _ validation: inout Validation) {
        if let language = reader.string("language", &validation) {
            runtime = Runtime(alias: language)
            if runtime == nil {
                validation.fail("language", "Unsupported language: \(language.prefix(100))")
            }
        } else if reader.value("language") == nil {
            validation.fail("language", "Is required")
        }
        template = reader.plainString("template", &validation)
        version = reader.plainString("version", &validation)
    }

    private mutating func readProgram(
        _ reader: FieldReader, _ limits: ExecuteLimits, _ validation: inout Validation
    ) {
        entrypoint = reader.plainString("entrypoint", &validation)
        if let entrypoint, let problem = FileName.problem(entrypoint) { validation.fail("entrypoint", problem) }
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
                guard let text = ExecuteRequest.text(value, field, limits, &validation) else { continue }
                arguments.append(text)
            }
        }
        let variables = reader.object("environment", &validation)?.members ?? []
        guard variables.count <= limits.strings else {
            validation.fail("environment", "Must have at most \(limits.strings) members")
            return
        }
        for variable in variables {
            let field = "environment.\(variable.name.prefix(100))"
            guard ExecuteRequest.isVariableName(variable.name) else {
                validation.fail(field, "Names must match [A-Za-z_][A-Za-z0-9_]*")
                continue
            }
            guard let value = ExecuteRequest.text(variable.value, field, limits, &validation) else { continue }
            environment.append(.init(name: variable.name, value: value))
        }
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
        if let value = reader.value("memory_limit") {
            if let bytes = value.integerValue ?? value.stringValue.flatMap(ByteSize.parse) {
                if bounds.memory.contains(bytes) {
                    limits.memoryBytes = bytes
                } else {
                    let least = ByteSize.text(bounds.memory.lowerBound)
                    let most = ByteSize.text(bounds.memory.upperBound)
                    validation.fail("memory_limit", "Must be from \(least) to \(most)")
                }
            } else {
                validation.fail("memory_limit", "Must be a size such as \"256M\" or \"1G\", or a number of bytes")
            }
        }
        if let cores = reader.number("cpu_limit", &validation) {
            // Compared before it is converted: a huge number would not fit an integer.
            let least = Double(bounds.cpu.lowerBound) / 1000
            let most = Double(bounds.cpu.upperBound) / 1000
            if cores >= least, cores <= most {
                limits.cpuMillicores = Int((cores * 1000).rounded())
            } else {
                validation.fail("cpu_limit", "Must be from \(least) to \(most) cores")
            }
        }
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

    private static func text(
        _ value: JSONValue, _ field: String, _ limits: ExecuteLimits, _ validation: inout Validation
    ) -> String? {
        guard let text = value.stringValue else {
            validation.fail(field, "Must be a string")
            return nil
        }
        guard !text.utf8.contains(0) else {
            validation.fail(field, "Must not contain NUL")
            return nil
        }
        guard text.utf8.count <= limits.stringBytes else {
            validation.fail(field, "Must be at most \(limits.stringBytes) bytes long")
            return nil
        }
        return text
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.count <= 256
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
