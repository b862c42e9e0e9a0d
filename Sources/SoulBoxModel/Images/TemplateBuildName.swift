/// The name of the sandbox that a version of a template is built in, `build_…-v3-1`; each attempt has one of its own.
public struct TemplateBuildName: Sendable, Hashable {
    /// What such names begin with, and no other sandbox's.
    public static let prefix = "build_"

    /// The image that is built.
    public let image: TemplateImageName

    /// Which attempt it is, from 1.
    public let attempt: Int

    /// The name of an attempt.
    public init(image: TemplateImageName, attempt: Int) {
        self.image = image
        self.attempt = attempt
    }

    /// The name that a text spells; nil when it is none.
    public init?(_ text: String) {
        guard text.hasPrefix(TemplateBuildName.prefix), let mark = text.lastIndex(of: "-"),
            let attempt = Int(text[text.index(after: mark)...]), attempt > 0,
            let image = TemplateImageName(
                Identifier.Kind.template.rawValue + text[..<mark].dropFirst(TemplateBuildName.prefix.count))
        else { return nil }
        self.init(image: image, attempt: attempt)
    }

    /// The name as the isolation service has it.
    public var text: String {
        TemplateBuildName.prefix + image.text.dropFirst(Identifier.Kind.template.rawValue.count) + "-\(attempt)"
    }
}
