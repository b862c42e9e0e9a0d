/// The names and addresses of a sandbox's link.
///
/// They follow from its user id slot: no two sandboxes of the machine, of whatever instance, share one.
enum NetworkAddresses {
    /// Where the sandboxes are, of all instances: half of 198.18.0.0/15, which nobody else uses (RFC 2544).
    static let range = "198.18.0.0/16"

    /// The host's end of every link, its gateway and its server of names.
    static let gateway: [UInt8] = [198, 19, 255, 255]

    /// Where the ids of the first slot begin.
    private static let firstID: UInt32 = 0x1000_0000

    /// The sandbox's end.
    static func address(of slot: UserSlot) -> [UInt8] {
        let number = number(of: slot)
        return [198, 18, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    /// What all links of an instance begin with. A link's name has at most 15 bytes.
    static func prefix(of instance: String) -> String { "sb\(instance)-" }

    /// The host's end.
    static func link(of slot: UserSlot, instance: String) -> String {
        prefix(of: instance) + String(number(of: slot), radix: 16)
    }

    /// As dotted numbers.
    static func text(_ address: [UInt8]) -> String { address.map(String.init).joined(separator: ".") }

    private static func number(of slot: UserSlot) -> UInt32 { (slot.base - firstID) / UserSlot.size }
}
