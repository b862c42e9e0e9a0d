internal import ArgumentParser
internal import SoulBoxImages
internal import SoulBoxModel

/// `soulbox image import`: makes a template of a container image.
struct ImageImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Makes a template of a container image.",
        discussion: """
            The image is an OCI archive, what `docker save` or `podman save` writes (compressed or not), a directory with an \
            OCI layout, or docker://registry/name:tag. Debian's packages skopeo and umoci unpack it, without rights, network \
            or more room than --maximum-size allows. Filesystem and disk images are refused: nothing is ever mounted.

            The image brings the language of --runtime: python3, node, rustc with cc, go, or a JDK of 17 or newer. Programs \
            run as SoulBox runs them: entrypoint, user, working directory and volumes of the image count for nothing; of its \
            variables PATH, LANG, LC_…, TZ, …_VERSION, …_HOME and those that name search paths stay.

              soulbox image import python.tar --name my-python --runtime python
              soulbox image import docker://docker.io/library/node:22-slim --name node22 --runtime nodejs

            Programs ask for it as "template": "my-python". The same image again takes no time to unpack.
            """)

    @OptionGroup var options: ImageCommand.Options

    @Argument(help: ArgumentHelp("The image.", valueName: "archive|directory|docker://reference"))
    var archive: String

    @Option(help: ArgumentHelp("The template's name: lower-case letters, digits and hyphens.", valueName: "id"))
    var name: String

    @Option(help: ArgumentHelp("Its language: python, nodejs, rust, go or java.", valueName: "language"))
    var runtime: String

    @Option(help: ArgumentHelp("One sentence on it.", valueName: "text"))
    var description: String?

    @Option(help: ArgumentHelp("Which image of an archive that holds several.", valueName: "name:tag"))
    var reference: String?

    @Option(
        name: .customLong("environment"),
        help: ArgumentHelp("A variable that every program gets.", valueName: "NAME=value"))
    var variables: [String] = []

    @Option(help: ArgumentHelp("The least memory that a program may ask for, as 64M.", valueName: "size"))
    var minimumMemory: String?

    @Option(help: ArgumentHelp("What it may take, unpacked.", valueName: "size"))
    var maximumSize = "8G"

    @Option(
        help: ArgumentHelp("The recipes that SoulBox ships; `images` of the checkout by default.", valueName: "path"))
    var recipes: String?

    @Flag(help: "Takes the place of an image that is built from a recipe.")
    var replace = false

    func run() throws {
        let importer = ImageImporter(
            catalogue: options.catalogue, recipes: recipes ?? ImageCommand.recipeDirectory(), progress: ImageCommand.say
        )
        try importer.run(try request())
    }

    /// The request that the arguments make.
    func request() throws -> ImportRequest {
        guard let language = Runtime(alias: runtime) else {
            throw ValidationError(
                "\(runtime) is no language: \(Runtime.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var request = ImportRequest(archive: archive, name: name, runtime: language)
        request.description = description
        request.reference = reference
        request.minimumMemoryBytes = try minimumMemory.map { try size($0, "--minimum-memory") }
        request.maximumBytes = try size(maximumSize, "--maximum-size")
        request.replace = replace
        request.environment = try variables.map { text in
            guard let equals = text.firstIndex(of: "=") else {
                throw ValidationError("--environment \(text): expected NAME=value")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
        return request
    }

    private func size(_ text: String, _ option: String) throws -> Int64 {
        guard let bytes = ByteSize.parse(text), bytes > 0 else {
            throw ValidationError("\(option) \(text): sizes are written like 64M or 8G")
        }
        return bytes
    }
}
