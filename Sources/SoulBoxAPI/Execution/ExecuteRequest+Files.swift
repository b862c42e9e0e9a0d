internal import SoulBoxModel

extension ExecuteRequest {
    private static let fileFields: Set<String> = ["name", "content", "encoding"]

    /// Reads the field `files`; what is wrong is noted.
    static func files(
        _ reader: FieldReader, _ limits: ExecuteLimits, _ validation: inout Validation
    ) -> [InputFile] {
        guard let values = reader.array("files", &validation) else { return [] }
        guard values.count <= limits.files else {
            validation.fail("files", "Must have at most \(limits.files) elements")
            return []
        }
        var files: [InputFile] = []
        var indices: [Int] = []
        for (index, value) in values.enumerated() {
            guard let object = value.objectValue else {
                validation.fail("files[\(index)]", "Must be an object")
                continue
            }
            guard let file = file(FieldReader(object, prefix: "files[\(index)]."), &validation) else { continue }
            files.append(file)
            indices.append(index)
        }
        if files.reduce(0, { $0 + $1.contents.count }) > limits.fileBytes {
            validation.fail("files", "Must be at most \(limits.fileBytes) bytes in all")
        }
        for conflict in FileName.conflicts(files.map(\.path)) {
            validation.fail("files[\(indices[conflict.index])].name", conflict.reason)
        }
        return files
    }

    private static func file(_ reader: FieldReader, _ validation: inout Validation) -> InputFile? {
        reader.refuseUnknown(except: fileFields, &validation)
        let name = reader.string("name", &validation)
        if reader.value("name") == nil { validation.fail(reader.path("name"), "Is required") }
        if let name, let problem = FileName.problem(name) { validation.fail(reader.path("name"), problem) }
        let content = reader.string("content", &validation)
        if reader.value("content") == nil { validation.fail(reader.path("content"), "Is required") }
        let encoding = reader.string("encoding", &validation) ?? "utf-8"
        guard let name, let content else { return nil }
        switch encoding {
        case "utf-8": return InputFile(path: name, contents: Array(content.utf8))
        case "base64":
            guard let contents = Base64.decode(content) else {
                validation.fail(reader.path("content"), "Is not valid base64")
                return nil
            }
            return InputFile(path: name, contents: contents)
        default:
            validation.fail(reader.path("encoding"), "Must be \"utf-8\" or \"base64\"")
            return nil
        }
    }
}
