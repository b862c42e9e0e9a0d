extension AddressRange {
    /// What no sandbox ever reaches, whatever is allowed: private, link-local, loopback, shared, reserved and multicast
    /// networks (RFC 6890 and the registry that it set up). Clouds answer for their metadata at addresses of these.
    ///
    /// 198.18.0.0/15 (RFC 2544) holds the sandboxes' own addresses.
    public static let neverReachable: [AddressRange] = [
        AddressRange(bytes: [0, 0, 0, 0], prefix: 8), AddressRange(bytes: [10, 0, 0, 0], prefix: 8),
        AddressRange(bytes: [100, 64, 0, 0], prefix: 10), AddressRange(bytes: [127, 0, 0, 0], prefix: 8),
        AddressRange(bytes: [169, 254, 0, 0], prefix: 16), AddressRange(bytes: [172, 16, 0, 0], prefix: 12),
        AddressRange(bytes: [192, 0, 0, 0], prefix: 24), AddressRange(bytes: [192, 168, 0, 0], prefix: 16),
        AddressRange(bytes: [198, 18, 0, 0], prefix: 15), AddressRange(bytes: [224, 0, 0, 0], prefix: 3),
    ]

    /// Whether all its addresses are such.
    public var isNeverReachable: Bool {
        AddressRange.neverReachable.contains { $0.prefix <= prefix && $0.contains(bytes) }
    }
}
