internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Takes snapshots of persistent sandboxes.
///
/// The disk is copied while everything runs; then the sandbox stands still while its processes are written and what has
/// changed on the disk meanwhile is copied once more. Compressing, comparing with a parent and the digests come after that.
struct SnapshotMaker {
    let store: SnapshotStore
    /// Nil with why where processes cannot be held.
    let tools: Result<SnapshotTools, SnapshotTools.Missing>
    let log: Logger

    /// Tells how far a snapshot is.
    final class Meter {
        private let tell: (SnapshotProgress) -> Void
        private var phase = ""
        private var done: Int64 = 0
        var total: Int64 = 0
        private var told: UInt64 = 0

        init(_ tell: @escaping (SnapshotProgress) -> Void) { self.tell = tell }

        func begin(_ phase: String) {
            self.phase = phase
            told = 0
            add(0)
        }

        func add(_ bytes: Int64) {
            done += bytes
            let now = MonotonicClock.now
            guard now - told > 200_000_000 else { return }
            told = now
            tell(SnapshotProgress(phase: phase, doneBytes: done, totalBytes: max(total, done)))
        }
    }

    /// Takes a snapshot of a sandbox; one of that name that is there already is the answer.
    func make(_ request: SnapshotRequest, of managed: ManagedSandbox, _ meter: Meter) throws -> SnapshotManifest {
        try store.making(request.id) { try makeAlone(request, of: managed, meter) }
    }

    private func makeAlone(
        _ request: SnapshotRequest, of managed: ManagedSandbox, _ meter: Meter
    ) throws -> SnapshotManifest {
        if Files.exists(store.directory(request.id).path) {
            let manifest = try store.find(request.id, account: request.account)
            guard manifest.sandbox == request.sandbox else {
                throw IsolationError(.conflict, "there is another snapshot of that name")
            }
            return manifest
        }
        if request.includesMemory { _ = try requireTools() }
        if request.isCompressed, case .failure(let missing) = tools {
            throw IsolationError(.notPossible, "compression is not available: \(missing)")
        }
        guard let parent = request.parent else { return try make(request, of: managed, parent: [], meter) }
        return try store.using(parent, account: request.account) { chain in
            try make(request, of: managed, parent: chain, meter)
        }
    }

    private func make(
        _ request: SnapshotRequest, of managed: ManagedSandbox, parent: [SnapshotManifest], _ meter: Meter
    ) throws -> SnapshotManifest {
        let record = managed.state.read { $0.record }
        if let parent = parent.first, parent.image != record.image {
            throw IsolationError(.notPossible, "the parent is of another template")
        }
        let directory = try store.makeUnfinished(request.id)
        do {
            var manifest = SnapshotManifest(
                id: request.id, account: request.account, sandbox: request.sandbox, image: record.image,
                parent: request.parent, isCompressed: request.isCompressed, limits: record.limits)
            try managed.change { try capture(&manifest, request, of: managed, into: directory, meter) }
            meter.begin("packing")
            if !parent.isEmpty { try subtract(parent, from: directory, meter) }
            if request.isCompressed { try compress(directory) }
            meter.begin("verifying")
            manifest = try directory.complete(manifest, key: store.key, progress: meter.add)
            try store.publish(directory, as: request.id)
            log.info(
                "snapshot taken",
                metadata: [
                    "snapshot.id": "\(request.id)", "sandbox.id": "\(request.sandbox)",
                    "pause_us": "\(manifest.pauseMicroseconds)", "bytes": "\(manifest.sizeBytes)",
                ])
            return manifest
        } catch {
            try? Files.removeTree(directory.path)
            throw SnapshotMaker.told(error)
        }
    }

    /// What a caller is told of a failure that is no fault of the service.
    static func told(_ error: any Error) -> any Error {
        switch error {
        case let error as SystemCallError where error.errno == ENOSPC:
            IsolationError(.noSpace, "the host's disk is full")
        case let error as SandboxError where error.step == .cgroupAttach && error.errno == EBUSY:
            // The group's limit cannot be less than what is used.
            IsolationError(.notPossible, "its processes use more memory than the sandbox may have")
        case let error as CriuRun.Failure: IsolationError(.notPossible, error.reason)
        case let error as SnapshotInvalid: IsolationError(.notPossible, "the snapshot cannot be used: \(error)")
        default: error
        }
    }

    /// Copies the disk, and the processes of a running sandbox where they are wanted. Within `change`.
    private func capture(
        _ manifest: inout SnapshotManifest, _ request: SnapshotRequest, of managed: ManagedSandbox,
        into directory: SnapshotDirectory, _ meter: Meter
    ) throws {
        let source = try Files.open(managed.directory.disk, .readOnly, resolve: .noSymlinks)
        let target = try Files.open(
            directory.file(SnapshotDirectory.disk), [.readWrite, .create, .exclusive], mode: 0o600)
        let data = try SparseFile.dataBytes(of: source.rawValue)
        let memory = request.includesMemory ? managed.inspect().memoryUsed : 0
        // Copied once, read once more for the digests.
        meter.total = 2 * (data + memory)
        try checkSpace(data + memory)
        meter.begin("files")
        guard let sandbox = managed.running else {
            guard !request.includesMemory else {
                throw IsolationError(.sandboxNotRunning, managed.state.read { $0.phase.rawValue })
            }
            guard managed.directory.awaitDisk(lastDevice: managed.state.read { $0.device }) else {
                throw IsolationError(.conflict, "a file of the sandbox is being downloaded")
            }
            return try SparseFile.copy(from: source.rawValue, to: target.rawValue, progress: meter.add)
        }
        let disk = try SandboxDisk(of: sandbox)
        try SparseFile.copy(from: source.rawValue, to: target.rawValue, progress: meter.add)
        func again() throws {
            try disk.frozen { () throws(SystemCallError) in
                _ = try SparseFile.update(from: source.rawValue, to: target.rawValue)
            }
        }
        guard request.includesMemory else {
            let begin = MonotonicClock.now
            try again()
            manifest.pauseMicroseconds = Int64((MonotonicClock.now - begin) / 1000)
            return
        }
        meter.begin("memory")
        let dump = try MemoryDump(name: request.id, in: store, tools: try requireTools())
        defer { dump.run.remove() }
        let taken = try dump.take(sandbox, keepsRunning: true) { _ in try again() }
        manifest.memory = taken.memory
        manifest.pauseMicroseconds = taken.pauseMicroseconds
        let here = Files.workingDirectory
        try Files.rename(
            dump.run.images, at: here, to: directory.file(SnapshotDirectory.memory), at: here, keepingTarget: true)
        meter.add(memory)
    }

    private func requireTools() throws(IsolationError) -> SnapshotTools {
        switch tools {
        case .success(let tools): return tools
        case .failure(let missing):
            throw IsolationError(.notPossible, "memory snapshots are not available: \(missing)")
        }
    }

    /// Leaves of a disk what differs from the parent's.
    private func subtract(
        _ chain: [SnapshotManifest], from directory: SnapshotDirectory, _ meter: Meter
    ) throws {
        let old = directory.path + "/.parent"
        try SnapshotDisk(store: store, tools: try? tools.get()).write(chain, to: old)
        do {
            let before = try Files.open(old, .readOnly)
            let now = try Files.open(directory.file(SnapshotDirectory.disk), .readOnly)
            let delta = try Files.open(
                directory.file(SnapshotDirectory.delta), [.readWrite, .create, .exclusive], mode: 0o600)
            try DiskDelta.write(
                from: before.rawValue, to: now.rawValue, into: delta.rawValue, progress: { _ in })
        }
        try Files.removeTree(old)
        try Files.removeTree(directory.file(SnapshotDirectory.disk))
    }

    /// The disk, and of CRIU's files the pages: the others are small.
    private func compress(_ directory: SnapshotDirectory) throws {
        let names = try directory.names().filter { name in
            !name.hasPrefix(SnapshotDirectory.memory) || name.hasPrefix(SnapshotDirectory.memory + "/pages-")
        }
        try tools.get().compress(names.map(directory.file))
    }

    private func checkSpace(_ bytes: Int64) throws {
        let directory = try Files.openDirectory(store.path)
        guard try Files.space(of: directory.rawValue).availableBytes > UInt64(bytes) + (512 << 20) else {
            throw IsolationError(.noSpace, "the host's disk is full")
        }
    }
}
