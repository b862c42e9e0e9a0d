internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// The snapshots of the instance, each in a directory of its own.
final class SnapshotStore: Sendable {
    /// What the name of a directory begins with that is being put together.
    static let unfinished = ".new-"
    /// Where tools have their working directories.
    static let work = ".work"

    /// The key of their manifests.
    let key: SnapshotKey
    /// Where they are.
    let path: String
    private let log: Logger
    /// How many restores and new snapshots use each at this moment.
    private let users = Mutex<[String: Int]>([:])
    /// Those that are being put together.
    private let making = Monitor<Set<String>>([])

    /// How long a call waits for an earlier one about the same new snapshot, in nanoseconds.
    private static let patience: UInt64 = 600_000_000_000

    /// - Parameter path: A directory of the filesystem that the sandboxes' disks are on.
    init(path: String, log: Logger) throws(SystemCallError) {
        self.path = path
        self.log = log
        try Files.makeDirectory(path, mode: 0o700)
        key = try SnapshotKey(path: path + "/.key")
        for name in try Files.list(path) where name.hasPrefix(SnapshotStore.unfinished) || name == SnapshotStore.work {
            try Files.removeTree("\(path)/\(name)")
        }
        try Files.makeDirectory(path + "/" + SnapshotStore.work, mode: 0o700)
    }

    /// The directory of a snapshot that is there or is to be.
    func directory(_ id: String) -> SnapshotDirectory { SnapshotDirectory(path: "\(path)/\(id)") }

    /// Runs `body` while nobody else puts a snapshot of that name together: a caller that lost its connection asks again
    /// while its first call is still carried out.
    func making<Value>(_ id: String, _ body: () throws -> Value) throws -> Value {
        let isMine = making.wait(until: MonotonicClock.now + SnapshotStore.patience) { making in
            making.insert(id).inserted ? true : nil
        }
        guard isMine == true else { throw IsolationError(.unavailable, "the snapshot is still being taken") }
        defer { making.update { _ = $0.remove(id) } }
        return try body()
    }

    /// An empty directory of a snapshot that is to be put together.
    func makeUnfinished(_ id: String) throws(SystemCallError) -> SnapshotDirectory {
        let directory = SnapshotDirectory(path: "\(path)/\(SnapshotStore.unfinished)\(id)")
        try Files.removeTree(directory.path)
        try Files.makeDirectory(directory.path, mode: 0o700)
        return directory
    }

    /// Gives a complete directory its name.
    func publish(_ unfinished: SnapshotDirectory, as id: String) throws(SystemCallError) {
        let here = Files.workingDirectory
        try Files.rename(unfinished.path, at: here, to: directory(id).path, at: here, keepingTarget: true)
        try Files.synchronize(directory: path)
    }

    /// The manifest of a snapshot of that account.
    func find(_ id: String, account: String) throws(IsolationError) -> SnapshotManifest {
        guard Files.exists(directory(id).path) else { throw IsolationError(.snapshotNotFound, id) }
        let manifest: SnapshotManifest
        do {
            manifest = try directory(id).manifest(key)
        } catch {
            log.error("a snapshot cannot be used", metadata: ["snapshot.id": "\(id)", "error": "\(error)"])
            throw IsolationError(.notPossible, "the snapshot cannot be used: \(error)")
        }
        // A directory that was moved is another snapshot's.
        guard manifest.account == account, manifest.id == id else { throw IsolationError(.snapshotNotFound, id) }
        return manifest
    }

    /// Keeps a snapshot, and those that it is told by the differences from, while `body` uses it.
    func using<Value>(
        _ id: String, account: String, _ body: ([SnapshotManifest]) throws -> Value
    ) throws -> Value {
        // The youngest first.
        var chain: [SnapshotManifest] = []
        var next: String? = id
        users.withLock { $0[id, default: 0] += 1 }
        var held = [id]
        defer { users.withLock { users in for id in held { leave(id, &users) } } }
        while let name = next {
            let manifest = try find(name, account: account)
            chain.append(manifest)
            next = manifest.parent
            guard chain.count <= 64 else { throw IsolationError(.notPossible, "the snapshot has too many parents") }
            guard let parent = next else { break }
            users.withLock { $0[parent, default: 0] += 1 }
            held.append(parent)
        }
        return try body(chain)
    }

    private func leave(_ id: String, _ users: inout [String: Int]) {
        users[id, default: 1] -= 1
        if users[id] == 0 { users.removeValue(forKey: id) }
    }

    /// Removes a snapshot; one that is not there is no error.
    func remove(_ id: String, account: String) throws {
        let path = directory(id).path
        // Whoever takes "it is not there" for an answer would never hear of it again.
        guard !making.read({ $0.contains(id) }) else { throw IsolationError(.conflict, "the snapshot is being taken") }
        guard Files.exists(path) else { return }
        // One whose manifest cannot be read belongs to nobody, and can be removed by whoever knows its name.
        if let manifest = try? directory(id).manifest(key), manifest.account != account { return }
        if all().contains(where: { $0.parent == id }) {
            throw IsolationError(.conflict, "other snapshots are incremental to it")
        }
        let gone = "\(self.path)/\(SnapshotStore.unfinished)gone-\(id)"
        // Renamed under the lock that users are counted under: none begins to use what is going.
        try users.withLock { users in
            guard users[id] == nil else { throw IsolationError(.conflict, "the snapshot is in use") }
            let here = Files.workingDirectory
            try Files.rename(path, at: here, to: gone, at: here, keepingTarget: false)
        }
        try Files.removeTree(gone)
        log.info("snapshot removed", metadata: ["snapshot.id": "\(id)"])
    }

    /// All whose manifests can be read.
    func all() -> [SnapshotManifest] {
        let names = (try? Files.list(path, directoriesAlone: true)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted().compactMap { try? directory($0).manifest(key) }
    }
}
