internal import LinuxKernel
internal import Yams

/// How the tools image is made: `images/tools/tools.yml`, read strictly.
public struct ToolsRecipe: Sendable, Equatable {
    /// The Debian release by its code name.
    let suite: String
    /// The Debian packages to install, with what they depend on.
    let install: [String]
    /// SHA-256 of the recipe's directory, 64 hexadecimal digits.
    let hash: String

    /// The name that it is asked for by.
    public static let id = "tools"

    /// Reads the recipe below a directory of recipes; nil when there is none.
    public init?(in directory: String) throws(ImageError) {
        let path = "\(directory)/\(ToolsRecipe.id)/tools.yml"
        guard Files.exists(path) else { return nil }
        let document: Node?
        do {
            document = try Yams.compose(yaml: try Files.readString(path))
        } catch {
            throw ImageError("\(path): \(error)")
        }
        let reader = try RecipeReader(document, at: path, allowed: ["suite", "install"])
        suite = try reader.text("suite")
        install = try reader.texts("install")
        for word in [suite] + install where !ImageRecipe.isPackageName(word) {
            throw ImageError("\(path): \"\(word)\" is no name of a Debian package or release")
        }
        hash = try RecipeHash.make(of: "\(directory)/\(ToolsRecipe.id)")
    }
}
