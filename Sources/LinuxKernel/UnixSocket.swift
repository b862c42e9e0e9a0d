internal import CLinux
internal import Glibc

/// Unix sockets (unix(7)), all close-on-exec.
public enum UnixSocket {
    /// The kinds in use.
    public enum Kind: Sendable {
        case stream
        /// Keeps the boundaries of messages.
        case sequencedPacket

        var number: CInt { self == .stream ? soulbox_SOCK_STREAM : soulbox_SOCK_SEQPACKET }
    }

    /// The most descriptors that one message carries here.
    public static let maximumDescriptors = 32

    /// Listens at a path, after removing a socket that an earlier process left there.
    public static func listen(
        at path: String, kind: Kind, mode: UInt32, backlog: CInt
    ) throws(SystemCallError) -> Descriptor {
        let socket = try make(kind)
        _ = unlink(path)
        try withAddress(path) { address, length throws(SystemCallError) in
            try check("bind") { Glibc.bind(socket.rawValue, address, length) }
        }
        // Before listening: until then nobody can connect, whatever the umask left open.
        try check("chmod") { chmod(path, mode) }
        try check("listen") { Glibc.listen(socket.rawValue, backlog) }
        return socket
    }

    /// Connects to a path.
    public static func connect(to path: String, kind: Kind) throws(SystemCallError) -> Descriptor {
        let socket = try make(kind)
        try withAddress(path) { address, length throws(SystemCallError) in
            try check("connect") { Glibc.connect(socket.rawValue, address, length) }
        }
        return socket
    }

    /// The next connection of a listener.
    public static func accept(_ listener: CInt) throws(SystemCallError) -> Descriptor {
        Descriptor(owning: try check("accept4") { soulbox_accept4(listener, nil, nil, soulbox_SOCK_CLOEXEC) })
    }

    /// Two connected sockets.
    public static func pair(kind: Kind) throws(SystemCallError) -> DescriptorPair {
        var ends: (CInt, CInt) = (-1, -1)
        try check("socketpair") {
            withUnsafeMutableBytes(of: &ends) {
                socketpair(
                    AF_UNIX, kind.number | soulbox_SOCK_CLOEXEC, 0, $0.baseAddress?.assumingMemoryBound(to: CInt.self))
            }
        }
        return DescriptorPair(first: Descriptor(owning: ends.0), second: Descriptor(owning: ends.1))
    }

    /// Who connected (SO_PEERCRED).
    public static func peer(of socket: borrowing Descriptor) throws(SystemCallError) -> PeerCredentials {
        var credentials = soulbox_ucred()
        let raw = socket.rawValue
        try check("getsockopt") { soulbox_peer_credentials(raw, &credentials) }
        return PeerCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }

    /// Makes the kernel tell the sender of each message (SO_PASSCRED).
    public static func passCredentials(on socket: borrowing Descriptor) throws(SystemCallError) {
        try set(SO_PASSCRED, to: 1, on: socket.rawValue)
    }

    /// Sets how many bytes may be on their way (SO_SNDBUF, beyond the sysctl's limit where privileged).
    public static func setSendBuffer(bytes: CInt, on socket: CInt) throws(SystemCallError) {
        do {
            try set(SO_SNDBUFFORCE, to: bytes, on: socket)
        } catch {
            try set(SO_SNDBUF, to: bytes, on: socket)
        }
    }

    /// Sends bytes, with descriptors beside the first; a closed peer is EPIPE and no signal.
    public static func send(
        _ bytes: UnsafeRawBufferPointer, descriptors: [CInt] = [], on socket: CInt
    ) throws(SystemCallError) -> Int {
        guard descriptors.count <= maximumDescriptors else { throw SystemCallError(call: "sendmsg", errno: EINVAL) }
        return try check("sendmsg") {
            descriptors.withUnsafeBufferPointer {
                soulbox_send(socket, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count)
            }
        }
    }

    /// Receives bytes with the descriptors beside them; EAGAIN when `wait` is false and nothing is here.
    public static func receive(
        into buffer: UnsafeMutableRawBufferPointer, from socket: CInt, wait: Bool = true
    ) throws(SystemCallError) -> ReceivedMessage {
        var received = soulbox_received()
        let count = try check("recvmsg") {
            soulbox_receive(socket, buffer.baseAddress, buffer.count, wait ? 0 : CInt(soulbox_MSG_DONTWAIT), &received)
        }
        let descriptors = withUnsafeBytes(of: &received.descriptors) { raw in
            raw.bindMemory(to: CInt.self).prefix(Int(received.count)).map { SharedDescriptor(Descriptor(owning: $0)) }
        }
        return ReceivedMessage(
            count: count, descriptors: received.truncated == 0 ? descriptors : [],
            credentials: received.has_credentials == 0
                ? nil
                : PeerCredentials(
                    pid: received.credentials.pid, uid: received.credentials.uid, gid: received.credentials.gid),
            truncated: received.truncated != 0)
    }

    private static func make(_ kind: Kind) throws(SystemCallError) -> Descriptor {
        Descriptor(owning: try check("socket") { socket(AF_UNIX, kind.number | soulbox_SOCK_CLOEXEC, 0) })
    }

    private static func set(_ option: CInt, to value: CInt, on socket: CInt) throws(SystemCallError) {
        var value = value
        try check("setsockopt") { setsockopt(socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size)) }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // unix(7): 108 bytes with the NUL.
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemCallError(call: "connect", errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Result { () throws(SystemCallError) in try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
        }
        try result.get()
    }
}
