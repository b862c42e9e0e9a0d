internal import ArgumentParser
internal import SoulBoxImages

/// `soulbox image remove`: takes builds off the disk.
struct ImageRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes built images.",
        discussion: "Sandboxes that run from an image lose their files: remove what no running stack uses.")

    @OptionGroup var options: ImageCommand.Options

    @Flag(help: "Removes the image in use too.")
    var force = false

    @Flag(help: "Removes every build that is not in use.")
    var unused = false

    @Argument(help: ArgumentHelp("Builds, as `soulbox image list` names them.", valueName: "name"))
    var names: [String] = []

    func validate() throws {
        guard names.isEmpty == unused else { throw ValidationError("Name the images, or say --unused.") }
    }

    func run() throws {
        let catalogue = options.catalogue
        for name in unused ? try catalogue.list().filter({ !$0.isCurrent }).map(\.name) : names {
            try catalogue.remove(name, force: force)
            ImageCommand.say("image \(name): removed")
        }
    }
}
