internal import SoulBoxModel

/// What a user's template is, as `template.json` beside its layer keeps it.
struct TemplateRecord: Sendable, Equatable {
    /// Its image's name, which is the name of its directory.
    let name: String
    /// The account it belongs to; nobody else's sandboxes are made from it.
    let account: String
    /// The name of the base image's directory: a layer fits the very image that it was made above.
    let base: String
    /// Bytes in use in the layer.
    let size: Int64
    /// Variables that every program gets.
    let variables: [ExecutionSpec.Variable]

    /// The form of the file.
    private static let version: Int64 = 1

    init(name: String, account: String, base: String, size: Int64, variables: [ExecutionSpec.Variable]) {
        self.name = name
        self.account = account
        self.base = base
        self.size = size
        self.variables = variables
    }

    /// The file's contents.
    var json: JSONValue {
        [
            "version": .integer(TemplateRecord.version), "image": .string(name), "account": .string(account),
            "base": .string(base), "size": .integer(size),
            "environment": .array(variables.map { [.string($0.name), .string($0.value)] }),
        ]
    }

    /// Nil when the contents are none of this version.
    init?(json: JSONValue) {
        guard json["version"]?.integerValue == TemplateRecord.version, let name = json["image"]?.stringValue,
            let account = json["account"]?.stringValue, let base = json["base"]?.stringValue,
            let size = json["size"]?.integerValue, let pairs = json["environment"]?.arrayValue
        else { return nil }
        var variables: [ExecutionSpec.Variable] = []
        for pair in pairs {
            guard let pair = pair.arrayValue, pair.count == 2, let name = pair[0].stringValue,
                let value = pair[1].stringValue
            else { return nil }
            variables.append(.init(name: name, value: value))
        }
        self.init(name: name, account: account, base: base, size: size, variables: variables)
    }
}
