public import SoulBoxModel

/// What a version of a user's template is made of.
public struct TemplateSpec: Sendable, Equatable {
    /// One sentence on it; empty when its owner wrote none.
    public var description = ""
    /// The system template below it.
    public var base: String
    /// The version of its base's language.
    public var runtimeVersion: String
    /// The image that people would compare its base with.
    public var baseImage: String
    /// The least memory limit with which a program of it starts, in bytes.
    public var minimumMemoryBytes: Int64
    /// Packages of Python, as pip names them.
    public var packages: [String] = []
    /// Variables that every program gets.
    public var environment: [ExecutionSpec.Variable] = []
    /// Files in the workspace of its sandboxes.
    public var files: [InputFile] = []
    /// Lines of shell that are carried out one after the other.
    public var setup: [String] = []

    /// A template that adds nothing yet to its base.
    public init(base: ImageManifest) {
        self.base = base.id
        runtimeVersion = base.runtimeVersion
        baseImage = base.baseImage
        minimumMemoryBytes = base.minimumMemoryBytes
    }

    /// The spec as JSON, for its row; `init(storage:)` reads it back.
    public var storage: JSONValue {
        [
            "description": .string(description), "base": .string(base), "runtime_version": .string(runtimeVersion),
            "base_image": .string(baseImage), "minimum_memory": .integer(minimumMemoryBytes),
            "packages": .array(packages.map(JSONValue.string)),
            "environment": .array(environment.map { [.string($0.name), .string($0.value)] }),
            "files": .array(
                files.map { ["path": .string($0.path), "contents": .string(Base64.encode($0.contents))] }),
            "setup": .array(setup.map(JSONValue.string)),
        ]
    }

    /// The spec that `storage` wrote; nil when the value is none.
    public init?(storage: JSONValue) {
        guard let base = storage["base"]?.stringValue, let description = storage["description"]?.stringValue,
            let runtimeVersion = storage["runtime_version"]?.stringValue,
            let baseImage = storage["base_image"]?.stringValue,
            let memory = storage["minimum_memory"]?.integerValue
        else { return nil }
        self.base = base
        self.description = description
        self.runtimeVersion = runtimeVersion
        self.baseImage = baseImage
        minimumMemoryBytes = memory
        packages = storage["packages"]?.arrayValue?.compactMap(\.stringValue) ?? []
        setup = storage["setup"]?.arrayValue?.compactMap(\.stringValue) ?? []
        for pair in storage["environment"]?.arrayValue ?? [] {
            guard let pair = pair.arrayValue, pair.count == 2, let name = pair[0].stringValue,
                let value = pair[1].stringValue
            else { return nil }
            environment.append(.init(name: name, value: value))
        }
        for file in storage["files"]?.arrayValue ?? [] {
            guard let path = file["path"]?.stringValue, let text = file["contents"]?.stringValue,
                let contents = Base64.decode(text)
            else { return nil }
            files.append(InputFile(path: path, contents: contents))
        }
    }
}
