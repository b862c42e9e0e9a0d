internal import ArgumentParser
internal import SoulBoxImages

/// `soulbox image list`: the builds of the machine, with a star at those in use.
struct ImageList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists built and imported images; * marks the one that new sandboxes start from."
    )

    @OptionGroup var options: ImageCommand.Options

    func run() throws {
        let images = try options.catalogue.list()
        let widths = (name: images.map(\.name.count).max() ?? 0, runtime: images.map(\.runtime.count).max() ?? 0)
        for image in images {
            let name = image.name.padded(to: widths.name)
            print(
                "\(image.isCurrent ? "*" : " ") \(name)  \(image.runtime.padded(to: widths.runtime))  \(image.builtAt)"
                    + (image.imported.map { "  imported \($0)" } ?? ""))
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
