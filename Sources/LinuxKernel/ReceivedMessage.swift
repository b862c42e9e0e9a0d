/// What recvmsg(2) gave.
public struct ReceivedMessage: Sendable {
    /// How many bytes; 0 at the end.
    public let count: Int
    /// The descriptors that came along, close-on-exec.
    public let descriptors: [SharedDescriptor]
    /// The sender, when the socket passes credentials.
    public let credentials: PeerCredentials?
    /// Whether the message or its descriptors did not fit; the descriptors are closed then.
    public let truncated: Bool
}
