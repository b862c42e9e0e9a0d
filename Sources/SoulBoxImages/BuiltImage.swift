/// A build of an image in the catalogue.
public struct BuiltImage: Sendable, Equatable {
    /// The template's identifier.
    public let id: String
    /// The build's name: the identifier and the first 16 digits of the recipe's hash.
    public let name: String
    /// Whether new sandboxes of the template start from it.
    public let isCurrent: Bool
    /// The runtime and its version, as `python 3.11.2`.
    public let runtime: String
    /// When it was built (RFC 3339).
    public let builtAt: String
    /// The digest of the container image that it was imported from; nil where it was built from a recipe.
    public let imported: String?
}
