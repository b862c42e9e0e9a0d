internal import SoulBoxModel

/// A built image: its manifest and its root filesystem.
struct Image: Sendable {
    /// The name of its directory: template and recipe hash.
    let name: String

    /// What it says of itself.
    let manifest: ImageManifest

    /// The directory that holds the root filesystem.
    let root: String
}
