/// What the isolator is told at start.
public struct IsolatorConfiguration: Sendable {
    /// The instance: 8 hexadecimal digits that stand in every resource's name.
    public var instance: String
    /// The service's socket.
    public var socketPath: String
    /// The group that may connect, beside root.
    public var socketGroup: UInt32
    /// User ids that may connect, beside root.
    public var allowedUsers: Set<UInt32>
    /// A directory of the instance's own for files that need not outlive a reboot.
    public var runDirectory: String
    /// Where persistent sandboxes are kept.
    public var sandboxDirectory: String
    /// Where built images stand.
    public var imageDirectory: String
    /// The executable that becomes PID 1 of a sandbox.
    public var initPath: String
    /// The library that makes an interpreter a zygote.
    public var zygotePath: String
    /// How many executions run at once.
    public var concurrentExecutions: Int
    /// How long an execution waits for its turn, in milliseconds.
    public var queueWaitMilliseconds: Int
    /// The sandboxes that stand ready.
    public var pool: PoolSettings
    /// The seconds within which CRIU writes a sandbox's processes, or lets them go on.
    public var snapshotProcessSeconds: Int
    /// The networks of sandboxes.
    public var network: NetworkSettings
    /// The socket of soulbox-egress.
    public var egressSocketPath: String
    /// What `GetStatus` answers as version.
    public var version: String

    /// Makes a configuration.
    public init(
        instance: String, socketPath: String, socketGroup: UInt32 = 0, allowedUsers: Set<UInt32> = [],
        runDirectory: String, sandboxDirectory: String, imageDirectory: String, initPath: String, zygotePath: String,
        concurrentExecutions: Int,
        queueWaitMilliseconds: Int = 10_000, pool: PoolSettings = .none, snapshotProcessSeconds: Int = 600,
        network: NetworkSettings, egressSocketPath: String, version: String
    ) {
        self.instance = instance
        self.socketPath = socketPath
        self.socketGroup = socketGroup
        self.allowedUsers = allowedUsers
        self.runDirectory = runDirectory
        self.sandboxDirectory = sandboxDirectory
        self.imageDirectory = imageDirectory
        self.initPath = initPath
        self.zygotePath = zygotePath
        self.concurrentExecutions = concurrentExecutions
        self.queueWaitMilliseconds = queueWaitMilliseconds
        self.pool = pool
        self.snapshotProcessSeconds = snapshotProcessSeconds
        self.network = network
        self.egressSocketPath = egressSocketPath
        self.version = version
    }
}
