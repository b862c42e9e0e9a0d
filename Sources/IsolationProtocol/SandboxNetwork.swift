public import SoulBoxModel

/// What of the network a sandbox may reach.
public struct SandboxNetwork: Sendable, Equatable {
    /// Whether it has a network at all; without, it has no link but its own loopback.
    public var enabled: Bool
    /// The places that it may reach; none means everything public.
    public var allowedHosts: [AllowedHost]

    /// No network.
    public static let none = SandboxNetwork(enabled: false, allowedHosts: [])

    /// Makes one.
    public init(enabled: Bool, allowedHosts: [AllowedHost]) {
        self.enabled = enabled
        self.allowedHosts = allowedHosts
    }

    /// Whether everything public may be reached.
    public var isOpen: Bool { enabled && allowedHosts.isEmpty }

    /// The names and wildcards among the places.
    public var names: [AllowedHost] {
        allowedHosts.filter { if case .network = $0.target { false } else { true } }
    }

    /// The Varlink type `Network`.
    public var json: JSONValue {
        ["enabled": .bool(enabled), "allowed_hosts": .array(allowedHosts.map { .string($0.description) })]
    }

    /// Nil when a field is missing or a place is none.
    public init?(json: JSONValue) {
        guard let enabled = json["enabled"]?.boolValue, let texts = json["allowed_hosts"]?.arrayValue else {
            return nil
        }
        var hosts: [AllowedHost] = []
        for text in texts {
            guard let host = text.stringValue.flatMap(AllowedHost.init) else { return nil }
            hosts.append(host)
        }
        self.init(enabled: enabled, allowedHosts: hosts)
    }
}
