public import SoulBoxModel

/// A persistent sandbox as the database knows it.
public struct AccountSandbox: Sendable, Equatable {
    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// The account it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// What its owner calls it.
    public var name: String
    /// Its language.
    public var runtime: Runtime
    /// The template it was made from.
    public var template: String
    /// The version of a user's template; nil for a system template. It stays when a newer one is built.
    public var templateVersion: Int?
    /// Where it stands.
    public var status: SandboxStatus = .creating
    /// Why, when nobody asked for it.
    public var reason: String?
    /// Memory in bytes.
    public var memoryBytes: Int64
    /// Processor time in thousandths of a core.
    public var cpuMillicores: Int
    /// Processes and threads.
    public var processes: Int
    /// The size of its disk in bytes.
    public var diskBytes: Int64
    /// Whether it reaches the network.
    public var networkEnabled = false
    /// What it reaches there; everything public when there is none.
    public var allowedHosts: [String] = []
    /// Variables of all its programs.
    public var environment: [ExecutionSpec.Variable] = []
    /// When it was asked for.
    public var createdAt: Timestamp
    /// When it was changed last.
    public var updatedAt: Timestamp
    /// When it was started last; nil when it does not run.
    public var startedAt: Timestamp?
    /// When something happened in it last.
    public var lastActivity: Timestamp
    /// How long it lives, in seconds from its making; nil is for ever.
    public var ttlSeconds: Int?
    /// When it ends by itself.
    public var expiresAt: Timestamp? {
        ttlSeconds.map { Timestamp(microseconds: createdAt.microseconds + Int64($0) * 1_000_000) }
    }
    /// How long nothing may happen in it, in seconds; nil is for ever.
    public var idleSeconds: Int?
    /// What becomes of it then.
    public var onIdle = IdleAction.stop
    /// The last time that it became what a snapshot holds, or is becoming that.
    public var restore: SandboxRestore?

    /// Makes a sandbox that is to be made.
    public init(
        id: [UInt8] = Identifier.makeUUID(), accountID: [UInt8], name: String, runtime: Runtime, template: String,
        memoryBytes: Int64, cpuMillicores: Int, processes: Int, diskBytes: Int64, createdAt: Timestamp = .now
    ) {
        self.id = id
        self.accountID = accountID
        self.name = name
        self.runtime = runtime
        self.template = template
        self.memoryBytes = memoryBytes
        self.cpuMillicores = cpuMillicores
        self.processes = processes
        self.diskBytes = diskBytes
        self.createdAt = createdAt
        updatedAt = createdAt
        lastActivity = createdAt
    }

    /// Its identifier as the API writes it.
    public var identifier: String { Identifier.text(.sandbox, uuid: id) }

    /// The image it is made from, as the isolation service is told.
    public var image: String {
        templateVersion.map { TemplateImageName(template: template, version: $0).text } ?? template
    }

    /// Its account's identifier as the isolation service is told.
    public var account: String { Identifier.text(.account, uuid: accountID) }
}

/// Something that happened to a sandbox.
public struct SandboxEvent: Sendable, Equatable {
    /// The event's identifier, 16 bytes.
    public var id: [UInt8]
    /// When.
    public var at: Timestamp
    /// What: `created running stopped started paused resumed pause_failed updated
    /// restoring restored restore_failed error deleted`.
    public var event: String
    /// Why, when nobody asked for it.
    public var reason: String?
}
