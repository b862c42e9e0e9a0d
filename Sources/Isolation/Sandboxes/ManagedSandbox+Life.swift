internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension ManagedSandbox {
    /// Starts it unless it runs. Within `change`.
    ///
    /// - Parameter diskIsNew: Whether nobody has had the disk in use, ever: who does is found by going through all devices.
    func start(_ builder: SandboxBuilder, _ images: ImageStore, diskIsNew: Bool = false) throws {
        let (record, isRunning, device) = state.read { ($0.record, $0.sandbox != nil, $0.device) }
        guard !isRunning else { return }
        guard let image = images.image(named: record.image, account: record.account) else {
            throw IsolationError(.templateNotFound, record.image)
        }
        guard diskIsNew || directory.awaitDisk(lastDevice: device) else {
            throw IsolationError(.conflict, "a file of the sandbox is being downloaded")
        }
        let sandbox = try builder.make(
            SandboxSpec(
                id: id, image: image, disk: .image(path: directory.disk, bytes: record.limits.diskBytes),
                memoryBytes: record.limits.memoryBytes, cpuMillicores: record.limits.cpuMillicores,
                processes: record.limits.processes, sharedMemoryBytes: min(64 << 20, record.limits.memoryBytes / 2),
                network: record.network))
        let startedAt = Timestamp.now
        do {
            // Before anybody is told: what runs must be found again after a crash of this process.
            try directory.write(try sandbox.run(startedAt: startedAt))
        } catch {
            sandbox.remove()
            throw error
        }
        SandboxFiles(sandbox).clearStaging()
        take(sandbox, startedAt: startedAt)
    }

    /// From now on this is what runs.
    func take(_ sandbox: Sandbox, startedAt: Timestamp) {
        state.update { state in
            state.sandbox = sandbox
            state.startedAt = startedAt
            state.device = sandbox.loop
            state.phase = .running
            state.reason = nil
            state.sample = nil
        }
    }

    /// Ends everything in it; its files stay. Within `change`.
    ///
    /// - Parameter failure: Why, when nobody asked for it.
    func stop(failure: String? = nil, _ remover: SandboxRemover) throws {
        let device = try end(failure: failure, remover)
        // The kernel unmounts when the last of the sandbox's processes and descriptors is gone; only then is everything
        // that was written in the file. A download that is in progress holds a descriptor for longer: whoever starts the
        // sandbox again waits for it.
        _ = directory.awaitDisk(lastDevice: device, seconds: 2)
    }

    /// Kills what runs. Apart from `stop`, so that no reference to the sandbox is left when this returns: its root holds
    /// the disk.
    private func end(failure: String?, _ remover: SandboxRemover) throws -> Int32? {
        let (sandbox, entries, device) = state.update { state -> (Sandbox?, [ExecutionTable.Entry], Int32?) in
            let sandbox = state.sandbox
            if sandbox != nil {
                state.sandbox = nil
                state.startedAt = nil
                state.phase = failure == nil ? .stopped : .failed
                state.reason = failure
            } else if failure == nil {
                state.phase = .stopped
                state.reason = nil
            }
            return (sandbox, state.entries, state.device)
        }
        guard let sandbox else {
            if failure == nil { directory.dropPaused() }
            return device
        }
        if let space = try? sandbox.space() { state.update { $0.diskUsed = Int64(space.usedBytes) } }
        for entry in entries { entry.end(failure == nil ? .cancelled : .lost) }
        // The wish first: a crash from here on finds a sandbox that is to end, and ends it.
        try directory.write(nil)
        if !sandbox.remove() {
            remover.remove(sandbox) {}
            throw SandboxError(.removal, "processes do not end")
        }
        return device
    }

    /// Changes what it may use and reach, at once when it runs. Within `change`.
    func update(_ limits: SandboxLimits, _ network: SandboxNetwork, _ networks: SandboxNetworks) throws {
        let before = state.read { $0.record }
        guard limits.diskBytes >= before.limits.diskBytes else {
            throw IsolationError(.conflict, "a disk can only grow")
        }
        if limits.diskBytes > before.limits.diskBytes { try growDisk(to: limits.diskBytes) }
        if let sandbox = running { try limit(sandbox.group, limits) }
        let after = SandboxRecord(
            id: id, account: before.account, image: before.image, limits: limits, network: network,
            restored: before.restored)
        // The kernel first: what a record promises must hold already. A crash in between is put right by the next sweep.
        if let sandbox = running, network != before.network {
            try sandbox.connect(to: network, as: id, networks)
        }
        try directory.write(after)
        state.update { $0.record = after }
    }

    private func growDisk(to bytes: Int64) throws {
        guard let sandbox = running else {
            guard directory.awaitDisk(lastDevice: state.read { $0.device }) else {
                throw IsolationError(.conflict, "a file of the sandbox is being downloaded")
            }
            return try directory.growDisk(to: bytes)
        }
        try growMounted(sandbox, to: bytes)
    }

    private func limit(_ group: SandboxGroup, _ limits: SandboxLimits) throws {
        do throws(SystemCallError) {
            // v1 refuses a share that is smaller than that of a program that runs: theirs shrink first.
            for number in group.leaves() {
                try? group.leaf(number).set(
                    CgroupLimits(
                        memoryBytes: nil, cpuMillicores: limits.cpuMillicores, processes: nil, oomGroup: false))
            }
            try group.group.set(
                SandboxCgroups.limits(
                    memoryBytes: limits.memoryBytes, cpuMillicores: limits.cpuMillicores, processes: limits.processes))
        } catch {
            guard error.errno == EBUSY else { throw error }
            throw IsolationError(.conflict, "the sandbox uses more memory than that")
        }
    }

    private func growMounted(_ sandbox: Sandbox, to bytes: Int64) throws {
        guard let number = sandbox.loop else { return }
        let old = try Files.status(directory.disk).size
        let file = try Files.open(directory.disk, .readWrite, resolve: .noSymlinks)
        try Files.setSize(of: file.rawValue, bytes)
        do throws(SystemCallError) {
            try LoopDevice.resize(number)
            // A second mount of the device is the same filesystem, outside the sandbox.
            let mount = try Mount.make(
                type: "ext4", options: [("source", LoopDevice.path(number)), ("errors", "remount-ro")],
                switches: ["discard"], attributes: [.noSUID, .noDevices, .noAccessTimes])
            let directory = try Files.open(".", [.readOnly, .directory], at: mount.rawValue)
            try ExtendedFilesystem.growMounted(directory.rawValue, to: bytes)
        } catch {
            try? Files.setSize(of: file.rawValue, old)
            try? LoopDevice.resize(number)
            guard error.errno == EPERM else { throw error }
            throw IsolationError(
                .conflict, "this host lets no disk in use grow (CAP_SYS_RESOURCE is missing): stop the sandbox first")
        }
    }
}

extension Sandbox {
    /// Gives it the network of that kind, or takes it away.
    ///
    /// - Parameter name: Its name from now on, which another may have had while it stood ready.
    func connect(to network: SandboxNetwork, as name: String, _ networks: SandboxNetworks) throws {
        guard network.enabled else { return networks.detach(slot) }
        if networks.isAttached(slot) { return try networks.change(slot, of: name, to: network) }
        let namespace = SharedDescriptor(try processes.open(pid, "ns/net", [.readOnly]))
        try networks.attach(name, slot: slot, namespace: namespace, network: network)
    }

    /// How it is found again.
    func run(startedAt: Timestamp) throws(SandboxError) -> SandboxRun {
        try step(.supervise) { () throws(SystemCallError) in
            SandboxRun(
                boot: try BootIdentity.current(), pid: pid, birth: try processes.birth(of: pid), slot: slot.index,
                base: slot.base, loop: loop ?? -1, startedAt: startedAt, group: group.name)
        }
    }
}
