extension AddressRange {
    /// Of IPv6's global unicast addresses those that are no place of their own: protocol assignments with Teredo (RFC 2928,
    /// RFC 4380), documentation (RFC 3849, RFC 9637) and 6to4, which holds an IPv4 address (RFC 3056).
    private static let unroutable: [AddressRange] = [
        AddressRange(bytes: [0x20, 0x01] + [UInt8](repeating: 0, count: 14), prefix: 23),
        AddressRange(bytes: [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 12), prefix: 32),
        AddressRange(bytes: [0x20, 0x02] + [UInt8](repeating: 0, count: 14), prefix: 16),
        AddressRange(bytes: [0x3F, 0xFF] + [UInt8](repeating: 0, count: 14), prefix: 20),
    ]

    /// All of IPv6 that is given out for global unicast (RFC 4291, section 2.4, and IANA's registry): loopback, link-local,
    /// unique local, multicast, mapped and translated addresses lie outside of it.
    private static let globalUnicast = AddressRange(bytes: [0x20] + [UInt8](repeating: 0, count: 15), prefix: 3)

    /// Whether the service may connect to an address, of 4 or 16 bytes, because somebody who is no operator named it: of
    /// IPv4 whatever is not ``neverReachable``, of IPv6 what is given out to the world.
    public static func isPublic(_ address: [UInt8]) -> Bool {
        if address.count == 4 { return !neverReachable.contains { $0.contains(address) } }
        return globalUnicast.contains(address) && !unroutable.contains { $0.contains(address) }
    }

    /// The one address that this is; nil for a network of more.
    public var address: [UInt8]? { prefix == bytes.count * 8 ? bytes : nil }
}
