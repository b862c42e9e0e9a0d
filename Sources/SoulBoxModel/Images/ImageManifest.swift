/// What is known of a built image: what the API shows of its template, and how its programs are started.
///
/// `soulbox image build` writes it beside the root filesystem as `manifest.json`.
public struct ImageManifest: Sendable, Equatable {
    /// The manifest is not one.
    public struct Malformed: Error, Sendable, Equatable {
        /// The field that is missing or wrong.
        public let field: String
    }

    /// Name and installed version of a package.
    public struct Package: Sendable, Equatable {
        /// The package's name.
        public let name: String
        /// The version installed.
        public let version: String

        /// Names a package.
        public init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    /// A file that the template shows.
    public struct File: Sendable, Equatable {
        /// The file's name.
        public let name: String
        /// Its text.
        public let content: String
    }

    /// A command line with the environment it wants.
    public struct Command: Sendable, Equatable {
        /// Program and arguments, with placeholders.
        public let arguments: [String]
        /// Variables, with placeholders in their values.
        public let environment: [ExecutionSpec.Variable]
        /// How it is started before it is known what it is to do; nil for a program that never is.
        public let prestart: Prestart?

        /// Makes a command.
        public init(arguments: [String], environment: [ExecutionSpec.Variable], prestart: Prestart? = nil) {
            self.arguments = arguments
            self.environment = environment
            self.prestart = prestart
        }
    }

    /// The compile stage with limits of its own.
    public struct CompileStage: Sendable, Equatable {
        /// The compiler's command.
        public let command: Command
        /// Memory in bytes.
        public let memoryBytes: Int64
        /// Wall time in seconds.
        public let timeoutSeconds: Int
        /// Disk in bytes.
        public let diskBytes: Int64
    }

    /// The template's identifier.
    public let id: String
    /// The template's name for people.
    public let name: String
    /// One sentence on it.
    public let description: String
    /// The language.
    public let runtime: Runtime
    /// The language's version.
    public let runtimeVersion: String
    /// The template's version.
    public let version: String
    /// The image that people would compare it with.
    public let baseImage: String
    /// The packages it advertises.
    public let packages: [String]
    /// The versions of those packages.
    public let packagesInstalled: [Package]
    /// Variables that every program gets.
    public let environment: [ExecutionSpec.Variable]
    /// Files that the template shows.
    public let files: [File]
    /// SHA-256 of the recipe that built it, 64 hexadecimal digits.
    public let recipeHash: String
    /// The file that `code` is written to, below `/workspace`.
    public let programFile: String
    /// The compile stage; nil where programs run from source.
    public let compile: CompileStage?
    /// How a program is started; the request's arguments follow.
    public let run: Command
    /// The interpreter of a context; nil where the template has none.
    public let context: Command?
    /// The least memory limit with which a program starts, in bytes.
    public let minimumMemoryBytes: Int64
    /// The manifest as it was read.
    public let json: JSONValue

    /// Reads a manifest.
    public init(json: JSONValue) throws(Malformed) {
        func text(_ name: String) throws(Malformed) -> String {
            guard let value = json[name]?.stringValue else { throw Malformed(field: name) }
            return value
        }
        self.json = json
        id = try text("id")
        name = try text("name")
        description = try text("description")
        guard let runtime = Runtime(rawValue: try text("runtime")) else { throw Malformed(field: "runtime") }
        self.runtime = runtime
        runtimeVersion = try text("runtime_version")
        version = try text("version")
        baseImage = try text("base_image")
        packages = json["packages"]?.arrayValue?.compactMap(\.stringValue) ?? []
        packagesInstalled = (json["packages_installed"]?.objectValue?.members ?? []).compactMap { member in
            member.value.stringValue.map { Package(name: member.name, version: $0) }
        }
        environment = ImageManifest.variables(json["environment"])
        files = (json["files"]?.arrayValue ?? []).compactMap { file in
            guard let name = file["name"]?.stringValue, let content = file["content"]?.stringValue else { return nil }
            return File(name: name, content: content)
        }
        recipeHash = try text("recipe_hash")
        guard let program = json["program"], let file = program["file"]?.stringValue else {
            throw Malformed(field: "program.file")
        }
        programFile = file
        run = try ImageManifest.command(program["run"], field: "program.run")
        if let interpreter = program["context"], !interpreter.isNull {
            context = try ImageManifest.command(interpreter, field: "program.context")
        } else {
            context = nil
        }
        minimumMemoryBytes = program["minimum_memory"]?.integerValue ?? 16 << 20
        if let stage = program["compile"], !stage.isNull {
            guard let memory = stage["memory"]?.integerValue, let timeout = stage["timeout"]?.integerValue,
                let disk = stage["disk"]?.integerValue
            else { throw Malformed(field: "program.compile") }
            compile = CompileStage(
                command: try ImageManifest.command(stage, field: "program.compile"), memoryBytes: memory,
                timeoutSeconds: Int(timeout), diskBytes: disk)
        } else {
            compile = nil
        }
    }

    /// The manifest under another identifier.
    public func named(_ id: String) throws(Malformed) -> ImageManifest {
        guard var object = json.objectValue else { throw Malformed(field: "manifest") }
        object["id"] = .string(id)
        return try ImageManifest(json: .object(object))
    }

    private static func variables(_ value: JSONValue?) -> [ExecutionSpec.Variable] {
        (value?.objectValue?.members ?? []).compactMap { member in
            member.value.stringValue.map { ExecutionSpec.Variable(name: member.name, value: $0) }
        }
    }

    private static func command(_ value: JSONValue?, field: String) throws(Malformed) -> Command {
        guard let arguments = value?["argv"]?.arrayValue?.map(\.stringValue), !arguments.isEmpty,
            arguments.allSatisfy({ $0 != nil })
        else { throw Malformed(field: field) }
        return Command(
            arguments: arguments.compactMap { $0 }, environment: variables(value?["environment"]),
            prestart: value?["prestart"].flatMap(Prestart.init(json:)))
    }
}
