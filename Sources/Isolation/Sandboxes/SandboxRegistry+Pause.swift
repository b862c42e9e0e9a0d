internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Sandboxes whose processes are on the disk instead of in memory.
extension SandboxRegistry {
    /// Writes the processes of a sandbox to the disk and frees their memory; one that is paused stays so.
    func pause(_ managed: ManagedSandbox) throws -> SandboxState {
        do {
            try managed.change {
                if managed.state.read({ $0.phase }) == .paused { return }
                let device = try writeOut(managed)
                _ = managed.directory.awaitDisk(lastDevice: device, seconds: 2)
            }
        } catch {
            throw SnapshotMaker.told(error)
        }
        log.info("sandbox paused", metadata: ["sandbox.id": "\(managed.id)"])
        return inspect(managed)
    }

    /// Why a call's program was not started, where that is because the sandbox was paused, stopped or started anew while the
    /// call waited for it; nil when something is wrong.
    func absence(of id: String, account: String, behind error: SandboxError) -> IsolationError? {
        // What is gone with it: PID 1's socket, and the group that the program's would be in.
        guard error.step == .initConnect || error.step == .cgroupCreate else { return nil }
        do {
            let managed = try find(id, account: account)
            return try managed.change(keepsWaiting: true) {
                guard let sandbox = managed.running else {
                    return IsolationError(.sandboxNotRunning, managed.state.read { $0.phase.rawValue })
                }
                guard (try? sandbox.connect()) != nil else { return nil }
                return IsolationError(.conflict, "the sandbox was started anew meanwhile")
            }
        } catch {
            return error as? IsolationError
        }
    }

    /// Writes the processes and ends them; gives the disk's device. Apart, so that no reference to the sandbox is left when this
    /// returns: its root holds the disk.
    private func writeOut(_ managed: ManagedSandbox) throws -> Int32? {
        guard let sandbox = managed.running else {
            throw IsolationError(.sandboxNotRunning, managed.state.read { $0.phase.rawValue })
        }
        let available: SnapshotTools
        switch tools {
        case .success(let found): available = found
        case .failure(let missing):
            throw IsolationError(.notPossible, "memory snapshots are not available: \(missing)")
        }
        let directory = managed.directory
        let record = managed.state.read { $0.record }
        let dump = try MemoryDump(name: "pause-\(managed.id)", in: snapshots, tools: available)
        defer { dump.run.remove() }
        do {
            try Files.removeTree(directory.pausing.path)
            try Files.makeDirectory(directory.pausing.path, mode: 0o700)
            _ = try dump.take(sandbox, keepsRunning: false) { memory in
                // Whole before the first process ends.
                let here = Files.workingDirectory
                try Files.rename(
                    dump.run.images, at: here, to: directory.pausing.file(SnapshotDirectory.memory), at: here,
                    keepingTarget: true)
                _ = try directory.pausing.complete(
                    SnapshotManifest(
                        id: managed.id, account: record.account, sandbox: managed.id, image: record.image,
                        isCompressed: false, limits: record.limits, memory: memory),
                    key: snapshots.key, progress: { _ in })
                try directory.commitPause()
            }
        } catch {
            // They go on: what was written of them is no more true.
            try? Files.removeTree(directory.pausing.path)
            if !sandbox.process.hasExited { directory.dropPaused() }
            throw error
        }
        if let space = try? sandbox.space() { managed.state.update { $0.diskUsed = Int64(space.usedBytes) } }
        let device = managed.state.update { state -> Int32? in
            state.sandbox = nil
            state.startedAt = nil
            state.phase = .paused
            state.reason = nil
            return state.device
        }
        try directory.write(nil)
        if !sandbox.remove() { remover.remove(sandbox) {} }
        return device
    }

    /// Lets the processes of a paused sandbox go on; one that runs is left as it is.
    func resume(_ managed: ManagedSandbox) throws -> SandboxState {
        do {
            try managed.change {
                guard managed.running == nil else { return }
                guard managed.state.read({ $0.phase }) == .paused else {
                    throw IsolationError(.sandboxNotRunning, managed.state.read { $0.phase.rawValue })
                }
                try resumeWithinChange(managed)
            }
        } catch {
            throw SnapshotMaker.told(error)
        }
        log.info("sandbox resumed", metadata: ["sandbox.id": "\(managed.id)"])
        return inspect(managed)
    }

    func resumeWithinChange(_ managed: ManagedSandbox) throws {
        let directory = managed.directory
        let (record, device) = managed.state.read { ($0.record, $0.device) }
        guard let image = images.image(named: record.image, account: record.account) else {
            throw IsolationError(.templateNotFound, record.image)
        }
        if record.network.enabled { try networks.requireAvailable() }
        guard directory.awaitDisk(lastDevice: device) else {
            throw IsolationError(.conflict, "a file of the sandbox is being downloaded")
        }
        let manifest = try directory.paused.manifest(snapshots.key)
        guard manifest.id == managed.id, manifest.account == record.account, manifest.image == record.image else {
            throw SnapshotInvalid("it is another sandbox's")
        }
        let startedAt = Timestamp.now
        do {
            let sandbox = try restoreMemory(
                record.spec(image, disk: directory.disk, groupName: SandboxName.make()), from: directory.paused,
                manifest
            ) { sandbox in
                // They have not gone on yet: from here on it is they that count, and not what is on the disk.
                try directory.write(try sandbox.run(startedAt: startedAt))
                try directory.beginResume()
            }
            directory.endResume(succeeded: true)
            managed.take(sandbox, startedAt: startedAt)
            watch.add(managed, sandbox.process)
        } catch {
            try? directory.write(nil)
            directory.endResume(succeeded: false)
            throw error
        }
    }
}
