internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Sandboxes that become what a snapshot holds.
extension SandboxRegistry {
    /// Makes a sandbox what a snapshot holds; one that is not there yet is made.
    func restore(_ restore: SnapshotRestore) throws -> SandboxState {
        do {
            return try snapshots.using(restore.snapshot, account: restore.account) { chain in
                guard let manifest = chain.first else { throw IsolationError(.snapshotNotFound, restore.snapshot) }
                guard let image = images.image(named: manifest.image, account: restore.account) else {
                    throw IsolationError(.notPossible, "the template that it was made from is no longer there")
                }
                guard restore.limits.diskBytes >= manifest.limits.diskBytes else {
                    throw IsolationError(.conflict, "the snapshot's disk is larger than the sandbox's may be")
                }
                if restore.network.enabled { try networks.requireAvailable() }
                let record = SandboxRecord(
                    id: restore.sandbox, account: restore.account, image: manifest.image, limits: restore.limits,
                    network: restore.network, restored: restore.restore)
                return try become(record, image: image, chain, includesMemory: restore.includesMemory)
            }
        } catch {
            throw SnapshotMaker.told(error)
        }
    }

    private func become(
        _ record: SandboxRecord, image: Image, _ chain: [SnapshotManifest], includesMemory: Bool
    ) throws -> SandboxState {
        let directory = SandboxDirectory(path: "\(path)/\(record.id)")
        let new = ManagedSandbox(record, directory: directory, isChanging: true)
        if let known = add(new) {
            guard known.account == record.account else { throw IsolationError(.sandboxNotFound, record.id) }
            try known.change {
                // Asked for again by whoever did not hear the answer.
                if known.state.read({ $0.record.restored }) == record.restored, known.running != nil { return }
                try replace(known, with: record, image: image, chain, includesMemory)
            }
            log.info("sandbox restored", metadata: ["sandbox.id": "\(record.id)"])
            return inspect(known)
        }
        defer { new.finishChange() }
        do {
            try replace(new, with: record, image: image, chain, includesMemory)
        } catch {
            try? directory.remove()
            new.state.update { $0.isRemoved = true }
            forget(new)
            throw error
        }
        log.info("sandbox made from a snapshot", metadata: ["sandbox.id": "\(record.id)"])
        return inspect(new)
    }

    /// Builds the restored sandbox beside the one that is there, and then puts it in its place. Within `change`.
    private func replace(
        _ managed: ManagedSandbox, with record: SandboxRecord, image: Image, _ chain: [SnapshotManifest],
        _ includesMemory: Bool
    ) throws {
        let directory = managed.directory
        try checkSpace()
        try directory.makeNext()
        do {
            let startedAt = Timestamp.now
            let sandbox = try build(record, image: image, chain, includesMemory, in: directory) { sandbox in
                try directory.next.write(record)
                try directory.next.write(try sandbox.run(startedAt: startedAt))
                try directory.commitNext()
            }
            do {
                try managed.stop(remover)
            } catch {
                sandbox.remove()
                throw error
            }
            finish(managed, record, sandbox, startedAt)
        } catch {
            directory.dropNext()
            throw error
        }
    }

    /// The earlier state has ended: from here on there is no way back.
    private func finish(_ managed: ManagedSandbox, _ record: SandboxRecord, _ sandbox: Sandbox, _ startedAt: Timestamp)
    {
        do {
            try managed.directory.finishNext()
        } catch {
            // It is committed: the next start of the service puts it in its place, and until then it runs from where it is.
            log.critical(
                "a restored sandbox is not in its place yet",
                metadata: ["sandbox.id": "\(managed.id)", "error": "\(error)"])
        }
        managed.state.update { $0.record = record }
        SandboxFiles(sandbox).clearStaging()
        managed.take(sandbox, startedAt: startedAt)
        watch.add(managed, sandbox.process)
    }

    private func build(
        _ record: SandboxRecord, image: Image, _ chain: [SnapshotManifest], _ includesMemory: Bool,
        in directory: SandboxDirectory, commit: @escaping @Sendable (Sandbox) throws -> Void
    ) throws -> Sandbox {
        guard let manifest = chain.first else { throw IsolationError(.snapshotNotFound, record.id) }
        // Told before a disk is written that nobody would use.
        if includesMemory {
            _ = try memoryImages(of: snapshots.directory(manifest.id), manifest)
                .requireMemory(atMost: record.limits.memoryBytes)
        }
        try SnapshotDisk(store: snapshots, tools: try? tools.get()).write(chain, to: directory.next.disk)
        if record.limits.diskBytes > manifest.limits.diskBytes {
            try directory.next.growDisk(to: record.limits.diskBytes)
        }
        try directory.next.synchronizeDisk()
        let spec = record.spec(image, disk: directory.next.disk, groupName: SandboxName.make())
        guard includesMemory else {
            let sandbox = try builder.make(spec)
            do {
                try commit(sandbox)
            } catch {
                sandbox.remove()
                throw error
            }
            return sandbox
        }
        return try restoreMemory(spec, from: snapshots.directory(manifest.id), manifest, commit: commit)
    }

    /// Makes a sandbox whose processes go on where they were.
    func restoreMemory(
        _ spec: SandboxSpec, from directory: SnapshotDirectory, _ manifest: SnapshotManifest,
        commit: @escaping @Sendable (Sandbox) throws -> Void
    ) throws -> Sandbox {
        let images = try memoryImages(of: directory, manifest)
        let memory = try images.requireMemory(atMost: spec.memoryBytes)
        let run = try CriuRun(
            name: SandboxName.make(), in: snapshots.path + "/" + SnapshotStore.work, tools: images.tools)
        defer { run.remove() }
        try images.place(in: run)
        return try builder.make(spec, memory: MemoryRestore(run: run, leaves: memory.leaves, commit: commit))
    }

    private func memoryImages(
        of directory: SnapshotDirectory, _ manifest: SnapshotManifest
    ) throws(IsolationError) -> MemoryImages {
        switch tools {
        case .success(let found): return MemoryImages(tools: found, directory: directory, manifest: manifest)
        case .failure(let missing):
            throw IsolationError(.notPossible, "memory snapshots are not available: \(missing)")
        }
    }
}

extension SandboxRecord {
    /// The sandbox to build.
    func spec(_ image: Image, disk: String, groupName: String? = nil) -> SandboxSpec {
        var spec = SandboxSpec(
            id: id, image: image, disk: .image(path: disk, bytes: limits.diskBytes), memoryBytes: limits.memoryBytes,
            cpuMillicores: limits.cpuMillicores, processes: limits.processes,
            sharedMemoryBytes: min(64 << 20, limits.memoryBytes / 2), network: network)
        spec.groupName = groupName
        return spec
    }
}
