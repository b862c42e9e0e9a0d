internal import LinuxKernel

/// What every process of an instance is told.
///
/// `soulbox up` resolves the operator's file, the environment and the defaults, and writes the outcome as JSON to the run
/// directory; the processes read that and nothing else.
public struct ServiceConfiguration: Sendable, Equatable {
    /// The configuration cannot be used.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// The key that is missing or wrong.
        public let key: String

        /// For people.
        public var description: String { "configuration: \(key) is missing or malformed" }
    }

    /// The executions of the instance.
    public struct Executions: Sendable, Equatable {
        /// How many run at once; default 4 × cores.
        public var concurrent: Int
        /// How long one waits for its turn, in seconds; default 10.
        public var queueWaitSeconds: Int
        /// How long a result is kept, in days; default 7.
        public var retentionDays: Int
        /// The largest file handed out, in bytes; default 10 MiB.
        public var artifactEachBytes: Int64
        /// The largest sum of files handed out, in bytes; default 50 MiB.
        public var artifactTotalBytes: Int64
        /// How much of each stream is kept, in bytes; default 1 MiB.
        public var outputLimitBytes: Int

        /// The defaults, for a machine of that many cores.
        public init(cores: Int) {
            concurrent = 4 * cores
            queueWaitSeconds = 10
            retentionDays = 7
            artifactEachBytes = 10 << 20
            artifactTotalBytes = 50 << 20
            outputLimitBytes = 1 << 20
        }
    }

    /// The tokens that stand in place of keys.
    public struct Tokens: Sendable, Equatable {
        /// Where the signing keys are, and the key that seals kept answers.
        public var directory: String
        /// What `iss` says in tokens of another issuer; empty when there is none.
        public var issuer = ""
        /// What `aud` must say in them.
        public var audience = ""
        /// The file with the other issuer's public keys.
        public var keyFile = ""

        /// Tokens of this service's own alone.
        public init(directory: String) { self.directory = directory }
    }

    /// The networks of sandboxes.
    public struct Network: Sendable, Equatable {
        /// Whether sandboxes may have one; default true.
        public var isEnabled = true
        /// The user of `soulbox-egress`: of this instance alone, because the packet filter knows it by that.
        public var egressUser: UInt32
        /// Servers of names; empty are those of the host.
        public var resolvers: [String] = []
        /// Connections of a sandbox at once; default 1024.
        public var connections = 1024
        /// Connections that a sandbox opens in a second; default 200.
        public var newConnectionsPerSecond = 200
        /// Bytes that a sandbox sends in a second, and receives in one; default 100,000,000.
        public var bytesPerSecond = 100_000_000

        /// The defaults of an instance.
        public init(instance: String) {
            // Between what systems give to people and services and what sandboxes have.
            egressUser = 0x0E00_0000 | (UInt32(instance, radix: 16) ?? 0) & 0x00FF_FFFF
        }
    }

    /// The sandboxes that stand ready before anybody asks for them.
    public struct ReadyPool: Sendable, Equatable {
        /// Whether any do; default true.
        public var isEnabled = true
        /// The fewest of each system template; default 2.
        public var minimum = 2
        /// The most memory of all together, in bytes; default a tenth of the machine's.
        public var memoryBytes: Int64

        /// The defaults, for a machine with that much memory.
        public init(memoryBytes: Int64) { self.memoryBytes = memoryBytes / 10 }
    }

    /// One pool of workers.
    public struct Pool: Sendable, Equatable {
        /// How many processes; default 1.
        public var processes: Int
        /// Threads of each.
        public var threads: Int
        /// Database connections of each.
        public var databaseConnections: Int

        /// Makes a pool.
        public init(processes: Int, threads: Int, databaseConnections: Int) {
            self.processes = processes
            self.threads = threads
            self.databaseConnections = databaseConnections
        }
    }

    /// The instance: 8 hexadecimal digits.
    public var instance: String
    /// SoulBox's version.
    public var version: String
    /// Sockets and what else need not outlive a reboot.
    public var runDirectory: String
    /// Where persistent sandboxes are kept.
    public var sandboxDirectory: String
    /// Where built images stand.
    public var imageDirectory: String
    /// Where the binaries stand.
    public var binaryDirectory: String
    /// How libpq reaches the database.
    public var databaseURL: String
    /// The isolation service's socket.
    public var isolatorSocket: String
    /// The user that workers and the scheduler run as.
    public var serviceUser: UInt32
    /// The group of the service's sockets.
    public var serviceGroup: UInt32
    /// The executions.
    public var executions: Executions
    /// The sandboxes that stand ready.
    public var readyPool: ReadyPool
    /// The tokens.
    public var tokens: Tokens
    /// The networks of sandboxes.
    public var network: Network
    /// Alerts.
    public var alerts = Alerts()
    /// Live connections.
    public var gateway = Gateway()
    /// Snapshots of sandboxes.
    public var snapshots = Snapshots()
    /// Reports on usage.
    public var reports = Reports()
    /// The largest file that is taken into a sandbox, in bytes; default 100 MiB.
    public var uploadLimitBytes: Int64 = 100 << 20
    /// The index that builds of templates install Python packages from; empty is pip's own.
    public var pipIndex = ""
    /// The description of the API that `GET /openapi.json` serves.
    public var documentPath: String
    /// The workers of short requests.
    public var controlPool: Pool
    /// The workers of executions.
    public var executionPool: Pool

    /// Where the gateways listen.
    public var gatewaySocket: String { runDirectory + "/gateway.sock" }

    /// What this machine is called where measurements of several are kept: its name and the instance.
    public var node: String { "\(HostFigures.name)/\(instance)" }

    /// The isolation service's socket for `soulbox-egress`, beside the other.
    public var egressSocket: String {
        let directory = isolatorSocket.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return directory.joined(separator: "/") + "/egress.sock"
    }

    /// Makes a configuration with default executions and pools.
    public init(
        instance: String, version: String, runDirectory: String, imageDirectory: String, binaryDirectory: String,
        databaseURL: String, isolatorSocket: String, serviceUser: UInt32, serviceGroup: UInt32, cores: Int,
        memoryBytes: Int64 = 8 << 30
    ) {
        self.instance = instance
        self.version = version
        self.runDirectory = runDirectory
        self.imageDirectory = imageDirectory
        self.binaryDirectory = binaryDirectory
        self.databaseURL = databaseURL
        self.isolatorSocket = isolatorSocket
        self.serviceUser = serviceUser
        self.serviceGroup = serviceGroup
        executions = Executions(cores: cores)
        readyPool = ReadyPool(memoryBytes: memoryBytes)
        sandboxDirectory = runDirectory + "/sandboxes"
        tokens = Tokens(directory: runDirectory + "/tokens")
        network = Network(instance: instance)
        documentPath = runDirectory + "/openapi.json"
        controlPool = Pool(processes: 1, threads: 64, databaseConnections: 8)
        executionPool = Pool(processes: 2, threads: 64, databaseConnections: 4)
    }
}
