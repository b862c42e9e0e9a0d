internal import SoulBoxModel

/// The template that a sandbox or an execution is to be made from.
struct TemplateChoice: Sendable {
    /// Its image's manifest.
    let manifest: ImageManifest
    /// Its identifier as its user knows it.
    let id: String
    /// The version of a user's template; nil for a system template.
    let version: Int?

    /// A system template.
    init(_ manifest: ImageManifest) {
        self.manifest = manifest
        id = manifest.id
        version = nil
    }

    /// A user's template.
    init(_ manifest: ImageManifest, image: TemplateImageName) {
        self.manifest = manifest
        id = image.template
        version = image.version
    }
}
