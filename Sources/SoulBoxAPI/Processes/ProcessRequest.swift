internal import SoulBoxModel

/// The body of `POST /sandboxes/{id}/processes`.
struct ProcessRequest: Equatable {
    private static let maximumArguments = 1000
    private static let maximumBytes = 96 << 10

    var arguments: [String] = []
    var directory = "/workspace"
    var environment: [ExecutionSpec.Variable] = []

    /// Reads a body; what is wrong is noted.
    init(_ object: JSONObject, _ validation: inout Validation) {
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["argv", "cwd", "environment"], &validation)
        readArguments(reader, &validation)
        if let text = reader.plainString("cwd", &validation) {
            let path = text.hasPrefix("/") ? text : "/workspace/" + text
            if path.utf8.count > FileName.maximumPath { validation.fail("cwd", "Must be at most 4095 bytes long") }
            directory = path
        }
        environment = reader.variables(
            "environment", atMost: ProcessRequest.maximumArguments, of: ProcessRequest.maximumBytes, &validation
        ).compactMap { name, value in value.map { .init(name: name, value: $0) } }
        let bytes =
            arguments.reduce(0) { $0 + JSONValue.string($1).bytes.count }
            + environment.reduce(0) { $0 + $1.name.utf8.count + JSONValue.string($1.value).bytes.count }
        if bytes > ProcessRequest.maximumBytes {
            validation.fail("argv", "Arguments and environment must be at most \(ProcessRequest.maximumBytes) bytes")
        }
    }

    private mutating func readArguments(_ reader: FieldReader, _ validation: inout Validation) {
        guard let values = reader.array("argv", &validation) else {
            if reader.value("argv") == nil { validation.fail("argv", "Is required") }
            return
        }
        guard (1...ProcessRequest.maximumArguments).contains(values.count) else {
            validation.fail("argv", "Must have 1 to \(ProcessRequest.maximumArguments) elements")
            return
        }
        for (index, value) in values.enumerated() {
            guard let text = value.stringValue, !text.utf8.contains(0), index > 0 || !text.isEmpty else {
                validation.fail("argv[\(index)]", index == 0 ? "Must name a program" : "Must be a string without NUL")
                continue
            }
            arguments.append(text)
        }
    }
}
