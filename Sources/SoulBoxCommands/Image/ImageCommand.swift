public import ArgumentParser
internal import Glibc
internal import LinuxKernel
internal import SoulBoxImages

/// `soulbox image`: the root filesystems that sandboxes start from.
public struct ImageCommand: ParsableCommand {
    /// What `soulbox image help` shows.
    public static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Builds, imports, lists and removes images.",
        subcommands: [ImageBuild.self, ImageImport.self, ImageList.self, ImageRemove.self])

    /// Made by the parser.
    public init() {}

    /// What all have in common.
    struct Options: ParsableArguments {
        @Option(help: ArgumentHelp("Where built images are kept.", valueName: "path"))
        var directory = ImageCatalogue.defaultDirectory

        var catalogue: ImageCatalogue { ImageCatalogue(directory: directory) }
    }

    /// A line for the terminal at once, also when the output is a pipe.
    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// `images` here, or of the checkout that this program was installed into (`.soulbox/bin`) or built in, or beside the
    /// binaries of an installation.
    static func recipeDirectory() -> String {
        var candidates = ["images"]
        if var path = try? Files.readLink("/proc/self/exe") {
            while let slash = path.lastIndex(of: "/") {
                path = String(path[..<slash])
                candidates += ["\(path)/images", "\(path)/share/images"]
            }
        }
        return candidates.first { Files.exists("\($0)/basic-python/recipe.yml") } ?? "images"
    }
}
