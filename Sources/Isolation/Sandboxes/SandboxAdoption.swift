internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Takes over what an earlier run of the isolator left: files always, running sandboxes when they are beyond doubt.
struct SandboxAdoption {
    let path: String
    let cgroups: SandboxCgroups
    let images: ImageStore
    let processes: ProcessFilesystem
    let networks: SandboxNetworks
    let log: Logger

    /// The sandboxes on disk, and how each one ran last. Directories that are no sandboxes yet, or no more, go.
    func read() throws(SandboxError) -> [(record: SandboxRecord, directory: SandboxDirectory, run: SandboxRun?)] {
        let names = try step(.supervise) { () throws(SystemCallError) in
            try Files.makeDirectory(path, mode: 0o700)
            return try Files.list(path)
        }
        var found: [(SandboxRecord, SandboxDirectory, SandboxRun?)] = []
        for name in names.sorted() where name != SandboxDirectory.templates && name != SandboxDirectory.snapshots {
            let directory = SandboxDirectory(path: "\(path)/\(name)")
            do {
                try step(.supervise) { () throws(SystemCallError) in try directory.recover() }
            } catch {
                log.error("a restore was not ended", metadata: ["sandbox.id": "\(name)", "error": "\(error)"])
            }
            guard directory.holdsSandbox else {
                try? directory.remove()
                continue
            }
            guard let record = directory.record(), record.id == name else {
                log.critical("a sandbox's state file cannot be read", metadata: ["sandbox.id": "\(name)"])
                // Kept for the operator, and in nobody's way: it has no account, and nothing starts it.
                let none = SandboxRecord(
                    id: name, account: "", image: "",
                    limits: .init(memoryBytes: 0, cpuMillicores: 0, processes: 0, diskBytes: 0))
                found.append((none, directory, nil))
                continue
            }
            // Paused processes count, whatever of them an interrupted pause has left in memory.
            let run = directory.isPaused ? nil : directory.run()
            // Resumed ones that did not live count again.
            directory.endResume(succeeded: run.map(isAlive) == true)
            found.append((record, directory, directory.isPaused ? nil : run))
        }
        return found
    }

    /// The names of the groups whose processes may live on.
    func living(
        _ found: [(record: SandboxRecord, directory: SandboxDirectory, run: SandboxRun?)]
    ) -> Set<String> {
        Set(found.compactMap { $0.run.map(isAlive) == true ? $0.run?.group : nil })
    }

    /// Whether PID 1 is the process that it was.
    private func isAlive(_ run: SandboxRun) -> Bool {
        guard (try? BootIdentity.current()) == run.boot, let birth = try? processes.birth(of: run.pid) else {
            return false
        }
        return birth == run.birth
    }

    /// The sandboxes, with those that run on.
    func adopt(
        _ found: [(record: SandboxRecord, directory: SandboxDirectory, run: SandboxRun?)], slots: UserSlots
    ) -> [ManagedSandbox] {
        found.map { record, directory, run in
            let managed = ManagedSandbox(record, directory: directory)
            if record.account.isEmpty {
                managed.state.update {
                    $0.phase = .failed
                    $0.reason = "its state file cannot be read"
                }
            }
            guard let run else {
                if directory.isPaused {
                    managed.state.update { $0.phase = .paused }
                    try? directory.write(nil)
                }
                return managed
            }
            let isOfThisBoot = (try? BootIdentity.current()) == run.boot
            do throws(SandboxError) {
                guard isOfThisBoot else { throw SandboxError(.supervise, "the host was restarted") }
                let sandbox = try takeOver(record, directory, run, slots)
                managed.take(sandbox, startedAt: run.startedAt)
                networks.adopt(record.id, slot: sandbox.slot, network: record.network)
                log.notice("took over a running sandbox", metadata: ["sandbox.id": "\(record.id)"])
            } catch {
                log.warning(
                    "a sandbox no longer runs", metadata: ["sandbox.id": "\(record.id)", "error": "\(error)"])
                try? cgroups.removeLeftover(run.group)
                try? directory.write(nil)
                managed.state.update {
                    $0.device = isOfThisBoot ? run.loop : nil
                    $0.phase = isOfThisBoot ? .failed : .stopped
                    $0.reason = isOfThisBoot ? error.detail : "the host was restarted"
                }
            }
            return managed
        }
    }

    private func takeOver(
        _ record: SandboxRecord, _ directory: SandboxDirectory, _ run: SandboxRun, _ slots: UserSlots
    ) throws(SandboxError) -> Sandbox {
        guard let image = images.image(named: record.image, account: record.account) else {
            throw SandboxError(.supervise, "its image is gone")
        }
        // The pidfd before the looks: it keeps the pid from coming to mean another process meanwhile.
        let process = try step(.supervise) { () throws(SystemCallError) in
            SharedProcess(try ProcessDescriptor(opening: run.pid))
        }
        guard isAlive(run) else { throw SandboxError(.supervise, "its first process was killed") }
        let group = cgroups.adopt(run.group)
        guard (try? group.initLeaf.contains(pid: run.pid)) == true else {
            throw SandboxError(.supervise, "its first process is not in its group")
        }
        guard let slot = slots.claim(run.slot, base: run.base) else {
            throw SandboxError(.supervise, "its user ids are no longer ours")
        }
        let remains = SandboxRemains(group: group, slot: slot, slots: slots, networks: networks)
        remains.setProcess(process)
        do {
            let root = try step(.initConnect) { () throws(SystemCallError) in
                SharedDescriptor(try processes.open(run.pid, "root", [.path, .directory]))
            }
            let sandbox = Sandbox(
                spec: SandboxSpec(
                    id: record.id, image: image, disk: .image(path: directory.disk, bytes: record.limits.diskBytes),
                    memoryBytes: record.limits.memoryBytes, cpuMillicores: record.limits.cpuMillicores,
                    processes: record.limits.processes,
                    sharedMemoryBytes: min(64 << 20, record.limits.memoryBytes / 2), network: record.network),
                slot: slot, pid: run.pid, process: process, group: group, disk: nil, loop: run.loop, root: root,
                remains: remains, processes: processes)
            // What the user's programs could not change has not changed; what was built wrong must not live on.
            try PostureCheck.verify(sandbox)
            try endForegroundPrograms(of: sandbox)
            // An earlier run may have ended in the middle of a snapshot.
            (try? SandboxDisk(of: sandbox))?.thaw()
            _ = try sandbox.connect().ask(InitMessage.inspect(allows: false))
            SandboxFiles(sandbox).clearStaging()
            return sandbox
        } catch {
            remains.remove()
            throw error
        }
    }

    /// Ends what ran for callers whose connections ended with the earlier isolator; background programs run on.
    private func endForegroundPrograms(of sandbox: Sandbox) throws(SandboxError) {
        guard case .version(InitMessage.version) = try sandbox.connect().ask(InitMessage.askVersion) else {
            throw SandboxError(.supervise, "its first process is of another version of SoulBox")
        }
        guard case .list(let programs) = try sandbox.connect().ask(InitMessage.list) else {
            throw SandboxError(.supervise, "its first process gave no list")
        }
        let kept = Set(programs.map(\.leaf))
        for number in sandbox.group.leaves() where !kept.contains(number) {
            let leaf = sandbox.group.leaf(number)
            try? leaf.kill()
            _ = leaf.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000)
            try? leaf.remove()
        }
    }
}
