internal import SoulBoxModel

/// Names of hosts in the one spelling in which they are compared.
enum HostName {
    /// In lower case, without a final dot; nil when the text is no name, or an address.
    static func normal(_ text: String) -> String? {
        guard !text.contains(":"), !text.contains("*"), let host = AllowedHost(text), host.port == nil,
            case .name(let name) = host.target
        else { return nil }
        return name
    }
}
