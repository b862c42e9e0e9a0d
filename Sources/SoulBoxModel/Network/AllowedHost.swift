/// A place that a sandbox may reach: a name, a wildcard, an address or a network, each perhaps with a port.
public struct AllowedHost: Sendable, Equatable, CustomStringConvertible {
    /// What is allowed.
    public enum Target: Sendable, Equatable {
        /// Exactly this name, in lower case, without a final dot.
        case name(String)
        /// Every name below this one, and not the name itself.
        case below(String)
        /// The addresses of this network.
        case network(AddressRange)
    }

    /// The place.
    public let target: Target
    /// The port; nil is every port.
    public let port: UInt16?

    /// Reads one as the API writes it: `api.example.com`, `*.example.com:443`, `192.0.2.1`, `192.0.2.0/24:8080`,
    /// `2001:db8::/32`, `[2001:db8::1]:443`. Nil when the text is none.
    public init?(_ text: String) {
        guard text.utf8.count <= 300, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var rest = Substring(text)
        var port: UInt16?
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let after = rest[rest.index(after: end)...]
            rest = rest[rest.index(after: rest.startIndex)..<end]
            guard rest.contains(":") else { return nil }
            if !after.isEmpty {
                guard after.hasPrefix(":"), let number = AllowedHost.port(after.dropFirst()) else { return nil }
                port = number
            }
        } else if rest.count(where: { $0 == ":" }) == 1, let colon = rest.firstIndex(of: ":") {
            guard let number = AllowedHost.port(rest[rest.index(after: colon)...]) else { return nil }
            port = number
            rest = rest[..<colon]
        }
        self.port = port
        if let range = AddressRange(String(rest)) {
            target = .network(range)
            return
        }
        let isWildcard = rest.hasPrefix("*.")
        guard let name = AllowedHost.name(isWildcard ? rest.dropFirst(2) : rest) else { return nil }
        target = isWildcard ? .below(name) : .name(name)
    }

    /// As the API writes it.
    public var description: String {
        let suffix = port.map { ":\($0)" } ?? ""
        switch target {
        case .name(let name): return name + suffix
        case .below(let name): return "*." + name + suffix
        case .network(let range):
            return (range.isVersion6 && port != nil ? "[\(range)]" : "\(range)") + suffix
        }
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(text), number > 0
        else { return nil }
        return number
    }

    /// A host name in its one spelling (RFC 1123, section 2.1), internationalised ones in their ASCII form; nil when it is
    /// none. A last label of digits alone would be read as an address.
    private static func name(_ text: Substring) -> String? {
        let lower = text.lowercased()
        let trimmed = lower.hasSuffix(".") ? String(lower.dropLast()) : lower
        guard (1...253).contains(trimmed.utf8.count) else { return nil }
        let labels = trimmed.split(separator: ".", omittingEmptySubsequences: false)
        let isSound = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
                }
        }
        guard isSound, labels.last?.utf8.allSatisfy({ (0x30...0x39).contains($0) }) == false else { return nil }
        return trimmed
    }
}
