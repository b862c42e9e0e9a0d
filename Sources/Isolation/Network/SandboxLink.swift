internal import Glibc
internal import LinuxKernel

/// The link of one sandbox: a pair of virtual devices, one in its network namespace and one here (veth(4)).
///
/// There is no bridge: whatever a sandbox sends arrives at the host and at nobody else.
struct SandboxLink: Sendable, Hashable {
    /// The sandbox's end.
    private static let insideName = "eth0"

    /// The host's end.
    let name: String
    /// The sandbox's address.
    let address: [UInt8]

    init(of slot: UserSlot, instance: String) {
        name = NetworkAddresses.link(of: slot, instance: instance)
        address = NetworkAddresses.address(of: slot)
    }

    /// Makes it and turns it on. The rules for it stand already: its first packet is judged like its last.
    func make(in namespace: SharedDescriptor) throws(SystemCallError) {
        // A link that an earlier life of the slot left leads to a namespace that is gone.
        remove()
        do throws(SystemCallError) {
            var socket = try NetlinkSocket(.route)
            try VirtualLink.makePair(
                name: name, inside: SandboxLink.insideName, namespace: namespace.rawValue, on: &socket)
            let index = try SandboxLink.index(of: name)
            let (address, gateway) = (address, NetworkAddresses.gateway)
            try Namespaces.inNetwork(namespace) { () throws(SystemCallError) in
                // Before the link is on: no address of IPv6 is ever made up.
                try SandboxLink.turnOffVersion6("all")
                try SandboxLink.turnOffVersion6("default")
                var inside = try NetlinkSocket(.route)
                let index = try SandboxLink.index(of: SandboxLink.insideName)
                try VirtualLink.setAddress(address, peer: gateway, index, on: &inside)
                try VirtualLink.setUp(true, index, on: &inside)
            }
            try SandboxLink.turnOffVersion6(name)
            try Files.write("/proc/sys/net/ipv4/conf/\(name)/forwarding", [UInt8(ascii: "1")])
            try VirtualLink.setAddress(gateway, peer: address, index, on: &socket)
            try VirtualLink.setUp(true, index, on: &socket)
            // A route needs a link that is on at both ends.
            try Namespaces.inNetwork(namespace) { () throws(SystemCallError) in
                var inside = try NetlinkSocket(.route)
                try VirtualLink.setDefaultRoute(
                    gateway, try SandboxLink.index(of: SandboxLink.insideName), on: &inside)
            }
        } catch {
            remove()
            throw error
        }
    }

    /// Takes it away; it may be gone already, with the sandbox's namespace.
    func remove() { SandboxLink.remove(name) }

    /// Turns the host's end on or off.
    func setUp(_ isUp: Bool) throws(SystemCallError) {
        guard let index = VirtualLink.index(of: name) else { return }
        var socket = try NetlinkSocket(.route)
        try VirtualLink.setUp(isUp, index, on: &socket)
    }

    /// Bytes that the sandbox has sent and received.
    var bytes: (sent: Int64, received: Int64) {
        func read(_ counter: String) -> Int64 {
            // The host's end receives what the sandbox sends.
            let text = (try? Files.readString("/sys/class/net/\(name)/statistics/\(counter)")) ?? ""
            return Int64(text.prefix { $0.isNumber }) ?? 0
        }
        return (read("rx_bytes"), read("tx_bytes"))
    }

    /// Takes away the links of an instance that no sandbox has.
    static func removeAll(of instance: String, except kept: Set<String>) {
        let prefix = NetworkAddresses.prefix(of: instance)
        for name in (try? Files.list("/sys/class/net")) ?? [] where name.hasPrefix(prefix) && !kept.contains(name) {
            remove(name)
        }
    }

    private static func remove(_ name: String) {
        guard VirtualLink.index(of: name) != nil, var socket = try? NetlinkSocket(.route) else { return }
        try? VirtualLink.remove(name, on: &socket)
    }

    private static func index(of name: String) throws(SystemCallError) -> UInt32 {
        guard let index = VirtualLink.index(of: name) else {
            throw SystemCallError(call: "if_nametoindex", errno: ENODEV)
        }
        return index
    }

    private static func turnOffVersion6(_ name: String) throws(SystemCallError) {
        let path = "/proc/sys/net/ipv6/conf/\(name)/disable_ipv6"
        // A kernel without IPv6 has nothing to turn off.
        guard Files.exists(path) else { return }
        try Files.write(path, [UInt8(ascii: "1")])
    }
}
