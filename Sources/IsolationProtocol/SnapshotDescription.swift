public import SoulBoxModel

/// A snapshot as the isolation service has it.
public struct SnapshotDescription: Sendable, Equatable {
    /// Its identifier.
    public var id: String
    /// The account it belongs to.
    public var account: String
    /// The name of the image that its sandbox was made from.
    public var image: String
    /// The snapshot that its files are told by the differences from.
    public var parent: String?
    /// Whether it holds processes.
    public var hasMemory: Bool
    /// Bytes that it uses on the host's disk.
    public var sizeBytes: Int64
    /// The size of the sandbox's disk in bytes: a sandbox that gets its files needs one at least as large.
    public var diskBytes: Int64
    /// How long the sandbox stood still for it, in microseconds.
    public var pauseMicroseconds: Int64
    /// When it was taken.
    public var createdAt: Timestamp

    /// Makes one.
    public init(
        id: String, account: String, image: String, parent: String?, hasMemory: Bool, sizeBytes: Int64,
        diskBytes: Int64, pauseMicroseconds: Int64, createdAt: Timestamp
    ) {
        self.id = id
        self.account = account
        self.image = image
        self.parent = parent
        self.hasMemory = hasMemory
        self.sizeBytes = sizeBytes
        self.diskBytes = diskBytes
        self.pauseMicroseconds = pauseMicroseconds
        self.createdAt = createdAt
    }

    /// The Varlink type `Snapshot`.
    public var json: JSONValue {
        [
            "snapshot": .string(id), "account": .string(account), "image": .string(image), "parent": JSONValue(parent),
            "memory": .bool(hasMemory), "size": .integer(sizeBytes), "disk": .integer(diskBytes),
            "pause_us": .integer(pauseMicroseconds), "created_at": .string(createdAt.rfc3339),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let id = json["snapshot"]?.stringValue, let account = json["account"]?.stringValue,
            let image = json["image"]?.stringValue, let memory = json["memory"]?.boolValue,
            let size = json["size"]?.integerValue, let disk = json["disk"]?.integerValue,
            let pause = json["pause_us"]?.integerValue,
            let createdAt = json["created_at"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        self.init(
            id: id, account: account, image: image, parent: json["parent"]?.stringValue, hasMemory: memory,
            sizeBytes: size, diskBytes: disk, pauseMicroseconds: pause, createdAt: createdAt)
    }
}
