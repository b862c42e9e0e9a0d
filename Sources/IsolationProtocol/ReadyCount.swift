internal import SoulBoxModel

/// How many sandboxes of one kind stand ready.
public struct ReadyCount: Sendable, Equatable {
    /// The template that they are made from.
    public var template: String
    /// The template's language.
    public var runtime: String
    /// Whether they are to become persistent ones.
    public var isPersistent: Bool
    /// How many stand ready.
    public var ready: Int

    /// Puts one together.
    public init(template: String, runtime: String, isPersistent: Bool, ready: Int) {
        self.template = template
        self.runtime = runtime
        self.isPersistent = isPersistent
        self.ready = ready
    }

    var json: JSONValue {
        [
            "template": .string(template), "runtime": .string(runtime), "persistent": .bool(isPersistent),
            "ready": JSONValue(ready),
        ]
    }

    init?(json: JSONValue) {
        guard let template = json["template"]?.stringValue, let runtime = json["runtime"]?.stringValue,
            let isPersistent = json["persistent"]?.boolValue, let ready = json["ready"]?.integerValue
        else { return nil }
        self.init(template: template, runtime: runtime, isPersistent: isPersistent, ready: Int(ready))
    }
}
