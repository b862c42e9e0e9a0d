internal import Glibc

/// The addresses of a network, or one address (RFC 4632, RFC 4291).
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, those beyond the prefix 0.
    public let bytes: [UInt8]
    /// How many leading bits all addresses share.
    public let prefix: Int

    /// Whether the addresses are of IP version 6.
    public var isVersion6: Bool { bytes.count == 16 }

    /// A network of these bytes; bits beyond the prefix are cleared.
    public init(bytes: [UInt8], prefix: Int) {
        self.prefix = min(max(0, prefix), bytes.count * 8)
        var masked = bytes
        for index in masked.indices {
            let kept = min(max(0, self.prefix - index * 8), 8)
            masked[index] &= kept == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - kept))
        }
        self.bytes = masked
    }

    /// Reads an address, or a network with its prefix length. Nil when the text is neither.
    ///
    /// An IPv4 address in IPv6's clothes (`::ffff:a.b.c.d`) is the IPv4 address: rules must not depend on the spelling.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, var bytes = AddressRange.address(String(first)) else { return nil }
        var prefix = bytes.count * 8
        if parts.count > 1 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(parts[1]), number <= prefix
            else { return nil }
            prefix = number
        }
        if bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            guard prefix >= 96 else { return nil }
            bytes = Array(bytes[12...])
            prefix -= 96
        }
        self.init(bytes: bytes, prefix: prefix)
    }

    /// As RFC 4632 and RFC 5952 write it; one address without its prefix length.
    public var description: String {
        var buffer = [CChar](repeating: 0, count: 64)
        _ = bytes.withUnsafeBytes {
            inet_ntop(isVersion6 ? AF_INET6 : AF_INET, $0.baseAddress, &buffer, socklen_t(buffer.count))
        }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return prefix == bytes.count * 8 ? text : "\(text)/\(prefix)"
    }

    /// Whether an address lies in it.
    public func contains(_ address: [UInt8]) -> Bool {
        address.count == bytes.count && AddressRange(bytes: address, prefix: prefix).bytes == bytes
    }

    /// inet_pton(3) knows one spelling of each; `0x7f.1` and `2130706433` are no addresses here.
    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
        if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
        return nil
    }
}
