/// What the operator decides about the networks of sandboxes.
public struct NetworkSettings: Sendable {
    /// Whether sandboxes may have one at all.
    public var isEnabled: Bool
    /// The user of `soulbox-egress`, the only one that may ask for addresses to be admitted.
    public var egressUser: UInt32
    /// Servers of names that `soulbox-egress` asks, which may have private addresses; empty are those of the host.
    public var resolvers: [String]
    /// Connections that a sandbox may have at once.
    public var connections: Int
    /// Connections that it may open in a second.
    public var newConnectionsPerSecond: Int
    /// Bytes that it may send in a second, and receive in one.
    public var bytesPerSecond: Int

    /// Makes settings.
    public init(
        isEnabled: Bool = true, egressUser: UInt32, resolvers: [String] = [], connections: Int = 1024,
        newConnectionsPerSecond: Int = 200, bytesPerSecond: Int = 100_000_000
    ) {
        self.isEnabled = isEnabled
        self.egressUser = egressUser
        self.resolvers = resolvers
        self.connections = connections
        self.newConnectionsPerSecond = newConnectionsPerSecond
        self.bytesPerSecond = bytesPerSecond
    }
}
