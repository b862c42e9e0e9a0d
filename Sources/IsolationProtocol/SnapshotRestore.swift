/// A sandbox that is to become what a snapshot holds.
public struct SnapshotRestore: Sendable, Equatable {
    /// The snapshot.
    public var snapshot: String
    /// The account of both.
    public var account: String
    /// The sandbox: one that is there gets the snapshot's state in place of its own, any other is made.
    public var sandbox: String
    /// Names this restore: one of the same name that the sandbox has behind it already is done, and not done again.
    public var restore: String
    /// Whether its processes go on too, and not its files alone.
    public var includesMemory: Bool
    /// What the sandbox may use from then on; a disk that is smaller than the snapshot's is a conflict.
    public var limits: SandboxLimits
    /// What it may reach from then on.
    public var network: SandboxNetwork

    /// Makes one.
    public init(
        snapshot: String, account: String, sandbox: String, restore: String, includesMemory: Bool,
        limits: SandboxLimits, network: SandboxNetwork
    ) {
        self.snapshot = snapshot
        self.account = account
        self.sandbox = sandbox
        self.restore = restore
        self.includesMemory = includesMemory
        self.limits = limits
        self.network = network
    }
}
