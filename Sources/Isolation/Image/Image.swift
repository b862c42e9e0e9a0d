internal import SoulBoxModel

/// A built image: its manifest and its root filesystem.
struct Image: Sendable {
    /// The name of its directory: template and recipe hash, or a user's template and its version.
    let name: String

    /// What it says of itself.
    let manifest: ImageManifest

    /// The directory that holds the root filesystem.
    let root: String

    /// The file with the filesystem that a user's template adds above the root; nil for a system template.
    var layer: String?

    /// Variables of a user's template, taken as they are: placeholders in them stand for themselves.
    var variables: [ExecutionSpec.Variable] = []
}
