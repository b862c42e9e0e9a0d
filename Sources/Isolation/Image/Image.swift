internal import SoulBoxModel

/// A built image: its manifest and its root filesystem.
struct Image: Sendable {
    /// What it says of itself.
    let manifest: ImageManifest

    /// The directory that holds the root filesystem.
    let root: String
}
