/// The name of an image that was built from a user's template: the template's identifier and the version, `tmpl_…-v3`.
///
/// A system template's name is never one: what stands before `-v` is an identifier.
public struct TemplateImageName: Sendable, Hashable {
    /// The template's identifier.
    public let template: String

    /// The version, from 1.
    public let version: Int

    /// The name of a version of a template.
    public init(template: String, version: Int) {
        self.template = template
        self.version = version
    }

    /// The name that a text spells; nil when it is none.
    public init?(_ text: String) {
        guard let mark = text.lastIndex(of: "-"), text[mark...].hasPrefix("-v") else { return nil }
        let template = String(text[..<mark])
        let digits = text[text.index(mark, offsetBy: 2)...]
        // One spelling for each version: no sign, no leading zero.
        guard Identifier.parse(template, .template) != nil, let version = Int(digits), version > 0,
            String(version) == digits
        else { return nil }
        self.init(template: template, version: version)
    }

    /// The name as a directory and the isolation service have it.
    public var text: String { "\(template)-v\(version)" }
}
