internal import LinuxKernel
internal import SoulBoxModel
internal import Yams

/// How an image is made: `images/<id>/recipe.yml`, read strictly.
///
/// Beside it stand `customize.sh`, which runs in the new root when the packages are installed, and `files/`, which are
/// copied into the root before that.
public struct ImageRecipe: Sendable, Equatable {
    /// A name and a value.
    struct Pair: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// A command line and its environment, with placeholders.
    struct Command: Sendable, Equatable {
        let arguments: [String]
        let environment: [Pair]
        /// How it is started ahead of a request; nil for a program that never is.
        var prestart: ImageManifest.Prestart?
    }

    /// The compile stage and its limits.
    struct Compile: Sendable, Equatable {
        let command: Command
        let memoryBytes: Int64
        let timeoutSeconds: Int
        let diskBytes: Int64
    }

    /// The template's identifier, which is the directory's name.
    public let id: String
    /// SHA-256 of everything that decides what the image holds, 64 hexadecimal digits.
    public let hash: String
    /// The directory that holds the recipe.
    public let directory: String

    let name: String
    let description: String
    let version: String
    let runtime: Runtime
    let aliases: [String]
    let baseImage: String
    /// The Debian release by its code name.
    let suite: String
    /// The Debian packages to install, with what they depend on.
    let install: [String]
    /// The Debian package whose version is the runtime's.
    let runtimePackage: String
    /// The libraries that the template advertises, each with the Debian package that brings it.
    let packages: [Pair]
    let environment: [Pair]
    let files: [Pair]
    let programFile: String
    let minimumMemoryBytes: Int64
    let compile: Compile?
    let run: Command
    /// The interpreter of a context, whose state lasts from one execution to the next; nil where there is none.
    let context: Command?

    /// Reads the recipe of a directory.
    public init(directory: String) throws(ImageError) {
        let path = "\(directory)/recipe.yml"
        let text: String
        do {
            text = try Files.readString(path)
        } catch {
            throw ImageError("\(path): \(error)", advice: "An image's recipe is images/<id>/recipe.yml.")
        }
        let id = String(directory.split(separator: "/").last ?? "")
        try self.init(text: text, id: id, directory: directory, hash: try RecipeHash.make(of: directory), path: path)
    }

    /// Reads a recipe's text; `path` stands in messages.
    init(text: String, id: String, directory: String, hash: String, path: String) throws(ImageError) {
        let document: Node?
        do {
            document = try Yams.compose(yaml: text)
        } catch {
            throw ImageError("\(path): \(error)")
        }
        let recipe = try RecipeReader(
            document, at: path,
            allowed: [
                "id", "name", "description", "version", "runtime", "aliases", "base_image", "suite", "install",
                "runtime_version", "packages", "environment", "files", "program",
            ])
        self.id = try recipe.text("id")
        guard self.id == id, ImageRecipe.isName(id) else {
            throw ImageError("\(path): id must be the name of its directory, of lower-case letters, digits and hyphens")
        }
        self.directory = directory
        self.hash = hash
        name = try recipe.text("name")
        description = try recipe.text("description")
        version = try recipe.text("version")
        guard let runtime = Runtime(rawValue: try recipe.text("runtime")) else {
            throw ImageError(
                "\(path): unknown runtime",
                advice: "Known runtimes: \(Runtime.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self.runtime = runtime
        aliases = try recipe.texts("aliases")
        baseImage = try recipe.text("base_image")
        suite = try recipe.text("suite")
        install = try recipe.texts("install")
        for word in [suite] + install where !ImageRecipe.isPackageName(word) {
            throw ImageError("\(path): \"\(word)\" is no name of a Debian package or release")
        }
        runtimePackage = try recipe.text("runtime_version")
        packages = try recipe.pairs("packages").map { Pair(name: $0.name, value: $0.value) }
        environment = try recipe.pairs("environment").map { Pair(name: $0.name, value: $0.value) }
        var files: [Pair] = []
        for item in try recipe.items("files") {
            let file = try RecipeReader(item, at: "\(path): files", allowed: ["name", "content"])
            files.append(Pair(name: try file.text("name"), value: try file.text("content")))
        }
        self.files = files
        let program = try RecipeReader(
            recipe.node("program"), at: "\(path): program",
            allowed: ["file", "minimum_memory", "compile", "run", "context"])
        programFile = try program.text("file")
        minimumMemoryBytes = try ImageRecipe.size("minimum_memory", of: program, path: path)
        run = try ImageRecipe.command(
            try RecipeReader(program.node("run"), at: "\(path): run", allowed: ["argv", "environment", "prestart"]))
        context =
            program.has("context")
            ? try ImageRecipe.command(
                try RecipeReader(program.node("context"), at: "\(path): context", allowed: ["argv", "environment"]))
            : nil
        guard program.has("compile") else {
            compile = nil
            return
        }
        let stage = try RecipeReader(
            program.node("compile"), at: "\(path): compile",
            allowed: ["argv", "environment", "prestart", "memory", "timeout", "disk"])
        compile = Compile(
            command: try ImageRecipe.command(stage),
            memoryBytes: try ImageRecipe.size("memory", of: stage, path: path),
            timeoutSeconds: try stage.integer("timeout", in: 1...600),
            diskBytes: try ImageRecipe.size("disk", of: stage, path: path))
    }

    /// Whether a text may name an image: it becomes a path segment and an identifier of the API.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Debian's rule for package names (Policy 5.6.1); they become part of a command line.
    static func isPackageName(_ text: String) -> Bool {
        !text.isEmpty && text.first != "-" && text.first != "+"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func size(_ name: String, of reader: RecipeReader, path: String) throws(ImageError) -> Int64 {
        let text = try reader.text(name)
        guard let bytes = ByteSize.parse(text), bytes > 0 else {
            throw ImageError("\(path): \(name): \"\(text)\" is no size", advice: "Sizes are written like 64M or 1G.")
        }
        return bytes
    }

    private static func command(_ reader: RecipeReader) throws(ImageError) -> Command {
        let arguments = try reader.texts("argv")
        guard let program = arguments.first, program.hasPrefix("/") || program.hasPrefix("{build}/") else {
            throw ImageError("argv must begin with the absolute path of a program")
        }
        var prestart: ImageManifest.Prestart?
        if reader.has("prestart") {
            let node = try RecipeReader(
                reader.node("prestart"), at: "prestart", allowed: ["options", "except", "fork"])
            prestart = ImageManifest.Prestart(
                options: try node.texts("options"), except: try node.texts("except"),
                isForked: try node.boolean("fork", default: false))
        }
        return Command(
            arguments: arguments,
            environment: try reader.pairs("environment").map { Pair(name: $0.name, value: $0.value) },
            prestart: prestart)
    }
}
