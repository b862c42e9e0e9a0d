internal import IsolationProtocol
internal import SoulBoxModel

/// What a snapshot holds and belongs to, as `manifest.json` beside its files tells it.
struct SnapshotManifest: Sendable, Equatable {
    /// One of its files.
    struct File: Sendable, Equatable {
        /// Its path below the snapshot's directory.
        let name: String
        /// Its size in bytes, holes counted.
        let size: Int64
        /// What `SparseDigest` gives.
        let digest: String
    }

    /// Processes, and what they can be restored with.
    struct Memory: Sendable, Equatable {
        /// The version of CRIU that wrote it.
        let criu: String
        /// The kernel's release.
        let kernel: String
        /// The processor's features, as a digest: code that found one and uses it must find it again.
        let processor: String
        /// The processes of each leaf, by their ids in the sandbox.
        let leaves: [Int: [Int32]]
        /// Bytes that they need at least, as far as is known.
        var bytes: Int64 = 0
    }

    /// The form of the file.
    private static let version: Int64 = 2

    var id: String
    var account: String
    /// The sandbox that it was taken of.
    var sandbox: String
    /// The name of the image's directory.
    var image: String
    var parent: String?
    var isCompressed: Bool
    /// What the sandbox might use.
    var limits: SandboxLimits
    var memory: Memory?
    var pauseMicroseconds: Int64 = 0
    var createdAt = Timestamp.now
    var files: [File] = []
    /// Bytes on the host's disk.
    var sizeBytes: Int64 = 0

    /// The file's contents.
    var json: JSONValue {
        [
            "version": .integer(SnapshotManifest.version), "snapshot": .string(id), "account": .string(account),
            "sandbox": .string(sandbox), "image": .string(image), "parent": JSONValue(parent),
            "compressed": .bool(isCompressed), "limits": limits.json, "memory": memory?.json ?? .null,
            "pause_us": .integer(pauseMicroseconds), "created_at": .string(createdAt.rfc3339),
            "size": .integer(sizeBytes),
            "files": .array(
                files.map { ["name": .string($0.name), "size": .integer($0.size), "sha256": .string($0.digest)] }),
        ]
    }

    /// What callers are told of it.
    var description: SnapshotDescription {
        SnapshotDescription(
            id: id, account: account, image: image, parent: parent, hasMemory: memory != nil, sizeBytes: sizeBytes,
            diskBytes: limits.diskBytes, pauseMicroseconds: pauseMicroseconds, createdAt: createdAt)
    }
}

extension SnapshotManifest {
    /// Nil when the contents are none of this version.
    init?(json: JSONValue) {
        guard json["version"]?.integerValue == SnapshotManifest.version, let id = json["snapshot"]?.stringValue,
            let account = json["account"]?.stringValue, let sandbox = json["sandbox"]?.stringValue,
            let image = json["image"]?.stringValue, let compressed = json["compressed"]?.boolValue,
            let limits = json["limits"].flatMap(SandboxLimits.init(json:)), let pause = json["pause_us"]?.integerValue,
            let createdAt = json["created_at"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
            let size = json["size"]?.integerValue, let items = json["files"]?.arrayValue
        else { return nil }
        var files: [File] = []
        for item in items {
            guard let name = item["name"]?.stringValue, let size = item["size"]?.integerValue,
                let digest = item["sha256"]?.stringValue
            else { return nil }
            files.append(File(name: name, size: size, digest: digest))
        }
        var memory: Memory?
        if let told = json["memory"], !told.isNull {
            memory = Memory(json: told)
            if memory == nil { return nil }
        }
        self.init(
            id: id, account: account, sandbox: sandbox, image: image, parent: json["parent"]?.stringValue,
            isCompressed: compressed, limits: limits, memory: memory, pauseMicroseconds: pause, createdAt: createdAt,
            files: files, sizeBytes: size)
    }
}

extension SnapshotManifest.Memory {
    var json: JSONValue {
        [
            "criu": .string(criu), "kernel": .string(kernel), "processor": .string(processor),
            "bytes": .integer(bytes),
            "leaves": .array(
                leaves.sorted { $0.key < $1.key }.map { number, pids in
                    ["leaf": JSONValue(number), "processes": .array(pids.map { JSONValue(Int($0)) })]
                }),
        ]
    }

    init?(json: JSONValue) {
        guard let criu = json["criu"]?.stringValue, let kernel = json["kernel"]?.stringValue,
            let processor = json["processor"]?.stringValue, let items = json["leaves"]?.arrayValue,
            let bytes = json["bytes"]?.integerValue
        else { return nil }
        var leaves: [Int: [Int32]] = [:]
        for item in items {
            guard let number = item["leaf"]?.integerValue.flatMap(Int.init(exactly:)),
                let pids = item["processes"]?.arrayValue
            else { return nil }
            leaves[number] = pids.compactMap { $0.integerValue.flatMap(Int32.init(exactly:)) }
        }
        self.init(
            criu: criu, kernel: kernel, processor: processor, leaves: leaves, bytes: bytes)
    }
}
