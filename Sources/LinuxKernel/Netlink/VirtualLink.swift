internal import Glibc

/// Pairs of virtual links between network namespaces (veth(4)), with their addresses and routes (rtnetlink(7)).
public enum VirtualLink {
    private static let newLink: UInt16 = 16
    private static let deleteLink: UInt16 = 17
    private static let newAddress: UInt16 = 20
    private static let newRoute: UInt16 = 24

    /// Makes a pair: one end here, the other in a namespace, both down.
    public static func makePair(
        name: String, inside: String, namespace: CInt, on socket: inout NetlinkSocket
    ) throws(SystemCallError) {
        var message = NetlinkMessage(type: newLink, flags: [.create, .exclusive], prefix: link(index: 0))
        message.add(3, text: name)  // IFLA_IFNAME
        message.nest(18) { information in  // IFLA_LINKINFO
            information.add(1, text: "veth")  // IFLA_INFO_KIND
            information.nest(2) { data in  // IFLA_INFO_DATA
                data.nest(1, prefix: link(index: 0)) { peer in  // VETH_INFO_PEER
                    peer.add(3, text: inside)
                    peer.add(28, number: UInt32(bitPattern: namespace))  // IFLA_NET_NS_FD
                }
            }
        }
        try socket.request(message, "make veth")
    }

    /// Takes a link away, and with it its far end.
    public static func remove(_ name: String, on socket: inout NetlinkSocket) throws(SystemCallError) {
        var message = NetlinkMessage(type: deleteLink, prefix: link(index: 0))
        message.add(3, text: name)
        try socket.request(message, "remove link")
    }

    /// Turns a link on or off.
    public static func setUp(_ isUp: Bool, _ index: UInt32, on socket: inout NetlinkSocket) throws(SystemCallError) {
        let up = UInt32(IFF_UP)
        try socket.request(
            NetlinkMessage(type: newLink, prefix: link(index: index, flags: isUp ? up : 0, change: up)), "set link")
    }

    /// Gives a link an address, and says which one its far end has (ip-address(8), peer).
    public static func setAddress(
        _ address: [UInt8], peer: [UInt8], _ index: UInt32, on socket: inout NetlinkSocket
    ) throws(SystemCallError) {
        var message = NetlinkMessage(
            type: newAddress, flags: [.create, .exclusive],
            prefix: [UInt8(AF_INET), 32, 0, 0] + NetlinkMessage.bytes(of: index))
        message.add(2, address)  // IFA_LOCAL
        message.add(1, peer)  // IFA_ADDRESS
        try socket.request(message, "set address")
    }

    /// Sends everything that has no other way to a gateway.
    public static func setDefaultRoute(
        _ gateway: [UInt8], _ index: UInt32, on socket: inout NetlinkSocket
    ) throws(SystemCallError) {
        // Table main, protocol static, scope universe, type unicast (rtnetlink(7)).
        var message = NetlinkMessage(
            type: newRoute, flags: [.create, .exclusive],
            prefix: [UInt8(AF_INET), 0, 0, 0, 254, 4, 0, 1] + NetlinkMessage.bytes(of: UInt32(0)))
        message.add(5, gateway)  // RTA_GATEWAY
        message.add(4, number: index)  // RTA_OIF
        try socket.request(message, "set route")
    }

    /// The number of a link in the calling thread's namespace; nil when there is none of that name.
    public static func index(of name: String) -> UInt32? {
        let index = if_nametoindex(name)
        return index == 0 ? nil : index
    }

    /// struct ifinfomsg.
    private static func link(index: UInt32, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        [0, 0, 0, 0] + NetlinkMessage.bytes(of: index) + NetlinkMessage.bytes(of: flags)
            + NetlinkMessage.bytes(of: change)
    }
}
