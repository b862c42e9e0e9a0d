internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Synchronization

extension SandboxBuilder {
    /// The recipe of a sandbox whose processes CRIU restores.
    ///
    /// CRIU makes the namespaces; what stands before and after that is the same as in every sandbox. No process goes on
    /// before all have been looked at.
    func restore(
        _ spec: SandboxSpec, _ memory: MemoryRestore, slot: UserSlot, group: SandboxGroup, remains: SandboxRemains,
        on stage: Stage
    ) throws(SandboxError) -> Sandbox {
        // The layers are shifted by a user namespace with the same map, because the sandbox's own does not exist yet.
        let namespace = try makeUserNamespace(slot, group)
        let (disk, loop, lease) = try mountRoot(spec, slot: slot, userNamespace: namespace, on: stage)
        try stage.mountDevicesBeside()
        try step(.snapshot) { () throws(SystemCallError) in try UserMapImage.write(slot, in: memory.run.images) }

        let restored = Mutex<Sandbox?>(nil)
        do {
            try memory.run.run(
                [
                    "restore", "--root", stage.rootPath, "--external", "mnt[dev]:\(stage.devicesPath)",
                    "--manage-cgroups=ignore", "--empty-ns", "net", "--tcp-close", "--skip-in-flight", "--file-locks",
                    "--restore-detached",
                ], group: group.initLeaf, isRestore: true
            ) { stage, pid in
                switch stage {
                case .namespaces:
                    // Before any socket is bound to 127.0.0.1.
                    try Namespaces.raiseLoopback(in: SharedDescriptor(try processes.open(pid, "ns/net", [.readOnly])))
                case .restored:
                    do {
                        let process = SharedProcess(try ProcessDescriptor(opening: pid))
                        remains.setProcess(process)
                        let root = SharedDescriptor(try processes.open(pid, "root", [.path, .directory]))
                        let sandbox = Sandbox(
                            spec: spec, slot: slot, pid: pid, process: process, group: group, disk: disk, loop: loop,
                            root: root, remains: remains, processes: processes, layer: lease)
                        try settle(sandbox, memory)
                        try memory.commit(sandbox)
                        restored.withLock { $0 = sandbox }
                    } catch {
                        // At this stage CRIU only notes what it is answered, and lets all go on: so all end here, while they
                        // still stand.
                        try? group.group.kill()
                        throw error
                    }
                case .dumped: break
                }
            }
        } catch let error as SandboxError {
            throw error
        } catch {
            throw SandboxError(.snapshot, "\(error)")
        }
        guard let sandbox = restored.withLock({ $0 }) else {
            throw SandboxError(.snapshot, "CRIU restored nothing")
        }
        // CRIU is gone, and what it needed with it.
        try step(.cgroupAttach) { () throws(SystemCallError) in try group.group.set(spec.groupLimits) }
        try forbidInspection(of: sandbox)
        return sandbox
    }

    /// What CRIU does not restore, and then everything is looked at; its processes stand still.
    private func settle(_ sandbox: Sandbox, _ memory: MemoryRestore) throws {
        let pid = sandbox.pid
        // Lost with the namespace that it was written in.
        try Namespaces.forbidMore(in: try processes.open(pid, "ns/user", [.readOnly]))
        try RestoredPrograms(sandbox: sandbox, leaves: memory.leaves).place()
        if sandbox.spec.network.enabled { try attachNetwork(sandbox.spec, slot: sandbox.slot, pid: pid) }
        try PostureCheck.verify(sandbox)
        for program in try RestoredPrograms.processes(of: sandbox) where program.host != pid {
            try PostureCheck.verify(restored: program.host, in: sandbox)
        }
    }

    /// CRIU needs a PID 1 that may be looked into; from here on nobody does.
    private func forbidInspection(of sandbox: Sandbox) throws(SandboxError) {
        guard case .done(0) = try sandbox.connect().ask(InitMessage.inspect(allows: false)) else {
            throw SandboxError(.initConnect, "soulbox-init does not answer after its restore")
        }
        guard case .version(InitMessage.version) = try sandbox.connect().ask(InitMessage.askVersion) else {
            throw SandboxError(.snapshot, "its first process is of another version of SoulBox")
        }
    }

    /// A user namespace with the map of a slot, in which nobody is.
    private func makeUserNamespace(_ slot: UserSlot, _ group: SandboxGroup) throws(SandboxError) -> Descriptor {
        let home = try step(.cgroupAttach) { () throws(SystemCallError) in try group.initLeaf.openForClone() }
        return try step(.idMap) { () throws(SystemCallError) in
            let child = try SandboxClone.startProbe(cgroup: home.rawValue)
            let pid = child.pid
            let process = child.takeProcess()
            defer {
                try? process.signal(SIGKILL)
                _ = try? process.waitForExit()
            }
            let map = "0 \(slot.base) \(UserSlot.size)"
            try processes.write(pid, "gid_map", map)
            try processes.write(pid, "uid_map", map)
            return try processes.open(pid, "ns/user", [.readOnly])
        }
    }
}
