public import ArgumentParser
internal import Glibc
internal import SoulBoxImages

/// `soulbox image`: the root filesystems that sandboxes start from.
public struct ImageCommand: ParsableCommand {
    /// What `soulbox image help` shows.
    public static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Builds, lists and removes images.",
        subcommands: [ImageBuild.self, ImageList.self, ImageRemove.self])

    /// Made by the parser.
    public init() {}

    /// What the three have in common.
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
}
