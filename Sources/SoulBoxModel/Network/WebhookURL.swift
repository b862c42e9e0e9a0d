/// Where a webhook is sent: an `http` or `https` URL (RFC 3986) that can be read in one way only.
///
/// What two readers could take for different hosts is refused: user information, backslashes, characters outside of ASCII,
/// hosts that end in a number and are no address.
public struct WebhookURL: Sendable, Equatable, CustomStringConvertible {
    /// Why a text is no such URL, in words that may be shown to a client.
    public struct Problem: Error, Sendable, Equatable {
        /// The words.
        public let reason: String

        /// With these words.
        public init(reason: String) { self.reason = reason }
    }

    /// Who is asked.
    public enum Host: Sendable, Equatable {
        /// A name in lower case.
        case name(String)
        /// 4 or 16 bytes.
        case address([UInt8])
    }

    /// The most bytes of one.
    public static let longest = 2000

    /// Whether the connection is encrypted.
    public let isEncrypted: Bool
    /// Who is asked.
    public let host: Host
    /// The port, also where the text has none.
    public let port: UInt16
    /// Path and query; begins with a slash.
    public let target: String

    /// Reads one.
    public init(_ text: String) throws(Problem) {
        guard text.utf8.count <= WebhookURL.longest else {
            throw Problem(reason: "Must be at most \(WebhookURL.longest) bytes long")
        }
        // RFC 3986, appendix A, without what two readers understand differently.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }) else {
            throw Problem(reason: "Must consist of the characters that a URL has")
        }
        let lower = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else {
            throw Problem(reason: "Must begin with https:// or http://")
        }
        isEncrypted = scheme == "https://"
        let rest = text.dropFirst(scheme.count)
        guard !rest.contains("#") else { throw Problem(reason: "Must not have a fragment") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else { throw Problem(reason: "Must not have a user or a password") }
        guard let place = AllowedHost(String(authority)), WebhookURL.isPlain(authority) else {
            throw Problem(reason: "Must have a host, and perhaps a port")
        }
        switch place.target {
        case .name(let name):
            let last = name.split(separator: ".").last ?? ""
            // What the URL standard takes for an IPv4 address: `0x7f000001`.
            guard !last.hasPrefix("0x") else { throw Problem(reason: "Must have a host, and perhaps a port") }
            host = .name(name)
        case .network(let range):
            guard let address = range.address else { throw Problem(reason: "Must have a host, and perhaps a port") }
            host = .address(address)
        case .below: throw Problem(reason: "Must have a host, and perhaps a port")
        }
        port = place.port ?? (isEncrypted ? 443 : 80)
        let target = String(rest[end...])
        self.target = target.hasPrefix("/") ? target : "/" + target
    }

    /// No network's prefix, and an IPv6 address only in brackets.
    private static func isPlain(_ authority: Substring) -> Bool {
        !authority.contains("/") && (authority.hasPrefix("[") || authority.count { $0 == ":" } <= 1)
    }

    /// The host as a URL writes it.
    public var hostText: String {
        switch host {
        case .name(let name): name
        case .address(let bytes): WebhookURL.text(of: bytes)
        }
    }

    /// An address as a URL writes it: one of IPv6 in brackets.
    public static func text(of address: [UInt8]) -> String {
        let text = AddressRange(bytes: address, prefix: address.count * 8).description
        return address.count == 16 ? "[\(text)]" : text
    }

    /// Scheme, host and port: what may be shown to whoever must not use it.
    public var origin: String {
        let usual: UInt16 = isEncrypted ? 443 : 80
        return (isEncrypted ? "https://" : "http://") + hostText + (port == usual ? "" : ":\(port)")
    }

    /// In its one spelling.
    public var description: String { origin + target }
}
