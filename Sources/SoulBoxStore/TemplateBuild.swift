public import SoulBoxModel

/// A version of a template that a scheduler has taken to build.
public struct TemplateBuild: Sendable, Equatable {
    /// The template's identifier, 16 bytes.
    public var templateID: [UInt8]
    /// The account it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// The version.
    public var version: Int
    /// Which attempt this is, from 1.
    public var attempt: Int
    /// Its language.
    public var runtime: Runtime
    /// What it is made of.
    public var spec: TemplateSpec

    /// The image that is to be built.
    public var image: TemplateImageName {
        TemplateImageName(template: Identifier.text(.template, uuid: templateID), version: version)
    }

    /// The sandbox that it is built in.
    public var sandbox: TemplateBuildName { TemplateBuildName(image: image, attempt: attempt) }

    /// Its account's identifier as the isolation service is told.
    public var account: String { Identifier.text(.account, uuid: accountID) }
}
