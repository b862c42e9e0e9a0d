internal import ArgumentParser
internal import Glibc
internal import SoulBoxImages

/// `soulbox image build`: makes images of the recipes that changed since they were built last.
struct ImageBuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Builds images from their recipes; those already built take no time.")

    @OptionGroup var options: ImageCommand.Options

    @Option(help: ArgumentHelp("The directory of recipes; `images` of the checkout by default.", valueName: "path"))
    var recipes: String?

    @Option(help: ArgumentHelp("Debian's main archive; what the host's apt uses by default.", valueName: "uri"))
    var mirror: String?

    @Option(help: ArgumentHelp("How many are built at a time; one for each processor by default.", valueName: "count"))
    var jobs: Int?

    @Flag(help: "Builds again what is already built.")
    var rebuild = false

    @Argument(help: ArgumentHelp("The images to build.", valueName: "id|all"))
    var ids: [String] = ["all"]

    func run() throws {
        let directory = recipes ?? ImageCommand.recipeDirectory()
        let configured = try OperatorConfiguration.load(Instance(home: nil)).images.mirror
        let host = try AptMirror.host(override: mirror ?? configured)
        let images = ids.filter { $0 != ToolsRecipe.id }
        if !images.isEmpty {
            let found = try ImageBuilder.recipes(in: directory, ids: images)
            let builder = ImageBuilder(catalogue: options.catalogue, mirror: host, progress: ImageCommand.say)
            try builder.build(found, rebuild: rebuild, jobs: jobs ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        }
        guard images.count < ids.count || ids == ["all"] else { return }
        guard let recipe = try ToolsRecipe(in: directory) else {
            if ids == ["all"] { return }
            throw ImageError("there is no recipe of the tools in \(directory)")
        }
        try ToolsBuilder(catalogue: options.catalogue.directory, mirror: host, progress: ImageCommand.say)
            .build(recipe, rebuild: rebuild)
    }
}
