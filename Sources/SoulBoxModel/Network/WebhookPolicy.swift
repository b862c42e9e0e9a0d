/// Which addresses webhooks are sent to: public ones, and those that the operator allows (`alerts.allow_private_webhooks`).
public struct WebhookPolicy: Sendable, Equatable {
    /// The networks that are allowed although they are private.
    public var allowed: [AddressRange]

    /// Public addresses, and these.
    public init(allowed: [AddressRange] = []) { self.allowed = allowed }

    /// Whether a webhook may go to an address of 4 or 16 bytes.
    public func allows(_ address: [UInt8]) -> Bool {
        let plain = WebhookPolicy.plain(address)
        return AddressRange.isPublic(plain) || isAllowedByOperator(plain)
    }

    /// Whether the operator has named a network with that address in it.
    public func isAllowedByOperator(_ address: [UInt8]) -> Bool {
        let plain = WebhookPolicy.plain(address)
        return allowed.contains { $0.contains(plain) }
    }

    /// An IPv4 address in IPv6's clothes (RFC 4291, section 2.5.5.2) is the IPv4 address.
    private static func plain(_ address: [UInt8]) -> [UInt8] {
        let isMapped =
            address.count == 16 && address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 0xFF
            && address[11] == 0xFF
        return isMapped ? Array(address[12...]) : address
    }
}
