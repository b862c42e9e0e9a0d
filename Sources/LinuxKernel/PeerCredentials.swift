/// Who is at the other end of a unix socket, as the kernel vouches for it.
public struct PeerCredentials: Sendable, Equatable {
    /// The process, in the reader's pid namespace; 0 when it is outside.
    public let pid: Int32
    /// Its user.
    public let uid: UInt32
    /// Its group.
    public let gid: UInt32
}
