internal import Glibc

/// The kernel's table of connections (conntrack(8)).
public enum ConnectionTracking {
    /// Forgets all connections with that mark. What still comes of them is a new connection to the packet filter.
    public static func forget(mark: UInt32, on socket: inout NetlinkSocket) throws(SystemCallError) {
        // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE; struct nfgenmsg. Without a tuple the mark is what selects.
        var message = NetlinkMessage(type: 1 << 8 | 2, prefix: [0, 0, 0, 0])
        message.add(8, NetlinkMessage.bytes(of: mark.bigEndian))  // CTA_MARK
        message.add(21, NetlinkMessage.bytes(of: UInt32.max))  // CTA_MARK_MASK
        do throws(SystemCallError) {
            try socket.request(message, "forget connections")
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
    }
}
