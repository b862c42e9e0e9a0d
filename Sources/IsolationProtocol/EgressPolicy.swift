public import SoulBoxModel

/// What soulbox-egress may do for one sandbox.
public struct EgressPolicy: Sendable, Equatable {
    /// The sandbox.
    public var sandbox: String
    /// Its address, as dotted numbers.
    public var address: String
    /// Another one whenever the policy changes and whenever the sandbox is started.
    public var generation: Int64
    /// Whether it reaches everything public: then every name is answered, and nothing is taken over.
    public var everything: Bool
    /// The names and wildcards that it may reach, each perhaps with a port.
    public var names: [AllowedHost]

    /// Makes a policy.
    public init(sandbox: String, address: String, generation: Int64, everything: Bool, names: [AllowedHost]) {
        self.sandbox = sandbox
        self.address = address
        self.generation = generation
        self.everything = everything
        self.names = names
    }

    /// The Varlink type `EgressPolicy`.
    public var json: JSONValue {
        [
            "sandbox": .string(sandbox), "address": .string(address), "generation": .integer(generation),
            "everything": .bool(everything), "names": .array(names.map { .string($0.description) }),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let sandbox = json["sandbox"]?.stringValue, let address = json["address"]?.stringValue,
            let generation = json["generation"]?.integerValue, let everything = json["everything"]?.boolValue,
            let texts = json["names"]?.arrayValue
        else { return nil }
        let names = texts.compactMap { $0.stringValue.flatMap(AllowedHost.init) }
        guard names.count == texts.count else { return nil }
        self.init(sandbox: sandbox, address: address, generation: generation, everything: everything, names: names)
    }
}
