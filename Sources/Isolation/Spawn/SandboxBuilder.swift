internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// Makes sandboxes, one at a time, on a thread of its own.
///
/// The thread owns a `Stage`. What is made here is a sandbox with PID 1 waiting for programs; no code of a user has run
/// in it.
final class SandboxBuilder: Sendable {
    private struct Job: Sendable {
        let spec: SandboxSpec
        /// The processes that it is to have; nil for PID 1 alone.
        let memory: MemoryRestore?
        let done: Monitor<Result<Sandbox, SandboxError>?>
    }

    /// How many threads make sandboxes whose processes go on from a snapshot: that takes CRIU half a second and more, and a CRIU
    /// that hangs keeps its thread, so nobody else waits for one of these.
    private static let restorers = 2

    private let jobs = Monitor<[Job]>([])
    private let restores = Monitor<[Job]>([])
    let slots: UserSlots
    let cgroups: SandboxCgroups
    let runtimeLayer: String
    let layers: LayerDevices
    let processes: ProcessFilesystem
    let networks: SandboxNetworks

    /// Starts `threads` builder threads, each with a stage below `stageDirectory`.
    init(
        threads: Int, stageDirectory: String, runtimeLayer: String, layers: LayerDevices, slots: UserSlots,
        cgroups: SandboxCgroups, processes: ProcessFilesystem, networks: SandboxNetworks
    ) throws(SandboxError) {
        self.networks = networks
        self.slots = slots
        self.cgroups = cgroups
        self.runtimeLayer = runtimeLayer
        self.layers = layers
        self.processes = processes
        for number in 0..<threads + SandboxBuilder.restorers {
            let jobs = number < threads ? jobs : restores
            let ready = Monitor<Result<Void, SandboxError>?>(nil)
            WorkerThread.start(name: "builder-\(number)") { [self] in
                do throws(SandboxError) {
                    let stage = try Stage(path: "\(stageDirectory)/\(number)")
                    // From this thread, whose mount namespace it is to have.
                    let cloner = try step(.clone) { () throws(SystemCallError) in
                        try SandboxClone(name: "cloner-\(number)")
                    }
                    ready.update { $0 = .success(()) }
                    serve(jobs, stage, cloner)
                } catch {
                    ready.update { $0 = .failure(error) }
                }
            }
            guard let outcome = ready.wait(for: { $0 }) else { continue }
            try outcome.get()
        }
    }

    /// Makes a sandbox; the caller's thread waits.
    ///
    /// - Parameter memory: The processes that it is to have and that go on where they were; nil for PID 1 alone.
    func make(_ spec: SandboxSpec, memory: MemoryRestore? = nil) throws(SandboxError) -> Sandbox {
        let done = Monitor<Result<Sandbox, SandboxError>?>(nil)
        (memory == nil ? jobs : restores).update { $0.append(Job(spec: spec, memory: memory, done: done)) }
        guard let result = done.wait(for: { $0 }) else { throw SandboxError(.supervise, "the builder is gone") }
        return try result.get()
    }

    private func serve(_ jobs: Monitor<[Job]>, _ stage: Stage, _ cloner: SandboxClone) -> Never {
        while true {
            let job = jobs.wait(for: { $0.isEmpty ? nil : $0.removeFirst() })
            guard let job else { continue }
            let result = Result { () throws(SandboxError) in try build(job.spec, job.memory, on: stage, cloner) }
            job.done.update { $0 = result }
        }
    }

    /// The recipe. Whatever a step made is undone when a later one fails.
    private func build(
        _ spec: SandboxSpec, _ memory: MemoryRestore?, on stage: Stage, _ cloner: SandboxClone
    ) throws(SandboxError) -> Sandbox {
        // Identity first: everything below is made for these ids.
        guard let slot = slots.take() else { throw SandboxError(.userSlot, errno: EAGAIN) }
        let group: SandboxGroup
        do {
            // Before any process exists: limits must stand when the first one is attached.
            group = try cgroups.make(spec, isRestored: memory != nil)
        } catch {
            slots.giveBack(slot)
            throw error
        }
        let remains = SandboxRemains(group: group, slot: slot, slots: slots, networks: networks)
        do {
            let sandbox =
                if let memory {
                    try restore(spec, memory, slot: slot, group: group, remains: remains, on: stage)
                } else {
                    try spawn(spec, slot: slot, group: group, remains: remains, on: stage, cloner)
                }
            stage.clear()
            return sandbox
        } catch {
            stage.clear()
            remains.remove()
            throw error
        }
    }

    private func spawn(
        _ spec: SandboxSpec, slot: UserSlot, group: SandboxGroup, remains: SandboxRemains, on stage: Stage,
        _ cloner: SandboxClone
    ) throws(SandboxError) -> Sandbox {
        let go = try step(.clone) { () throws(SystemCallError) in try Pipe.make() }
        let report = try step(.clone) { () throws(SystemCallError) in try Pipe.make() }
        let ready = try step(.clone) { () throws(SystemCallError) in try Pipe.make() }
        let home = try step(.cgroupAttach) { () throws(SystemCallError) in try group.initLeaf.openForClone() }
        let child = try step(.clone) { () throws(SystemCallError) in
            try cloner.start(
                SandboxClone.Request(
                    root: Stage.root, hostname: "sandbox", initPath: RuntimeLayer.initPath,
                    sharedMemoryBytes: spec.sharedMemoryBytes, cgroup: home.rawValue, go: go.first.rawValue,
                    report: report.second.rawValue, ready: ready.second.rawValue))
        }
        let pid = child.pid
        let process = SharedProcess(child.takeProcess())
        remains.setProcess(process)
        // The child's ends: only then does a dead child read as the end of its pipes.
        let goWriter = go.closeFirst()
        let reportReader = report.closeSecond()
        let readyReader = ready.closeSecond()

        // While the child waits: attached to its limits, known by its ids, first to go when memory runs out.
        try step(.cgroupAttach) { () throws(SystemCallError) in try group.initLeaf.attach(pid: pid) }
        try step(.idMap) { () throws(SystemCallError) in
            let map = "0 \(slot.base) \(UserSlot.size)"
            // The group map before the user map, as user_namespaces(7) asks of whoever drops setgroups; root need not.
            try processes.write(pid, "gid_map", map)
            try processes.write(pid, "uid_map", map)
        }
        try step(.oomScore) { () throws(SystemCallError) in try processes.write(pid, "oom_score_adj", "500") }

        // Its own namespace exists only now; no program does yet that could use it too early.
        if spec.network.enabled { try attachNetwork(spec, slot: slot, pid: pid) }

        // The root, shifted by the child's own user namespace, which exists only now.
        let namespace = try step(.stageImage) { () throws(SystemCallError) in
            try processes.open(pid, "ns/user", [.readOnly])
        }
        let (disk, loop, lease) = try mountRoot(spec, slot: slot, userNamespace: namespace, on: stage)
        try stage.mountDevices(on: disk)

        try step(.initReady) { () throws(SystemCallError) in try Files.write(to: goWriter.rawValue, [1]) }
        try awaitReady(ready: readyReader, report: reportReader)
        let root = try step(.initConnect) { () throws(SystemCallError) in
            SharedDescriptor(try processes.open(pid, "root", [.path, .directory]))
        }
        let sandbox = Sandbox(
            spec: spec, slot: slot, pid: pid, process: process, group: group, disk: disk, loop: loop, root: root,
            remains: remains, processes: processes, layer: lease)
        // Before anybody may use it: what was asked for must be what the kernel says is there.
        try PostureCheck.verify(sandbox)
        return sandbox
    }

    /// Puts the root together on the stage.
    func mountRoot(
        _ spec: SandboxSpec, slot: UserSlot, userNamespace namespace: borrowing Descriptor, on stage: Stage
    ) throws(SandboxError) -> (disk: SharedDescriptor?, loop: Int32?, lease: LayerDevices.Lease?) {
        let disk: SharedDescriptor?
        let loop: Int32?
        switch spec.disk {
        case .memory(let bytes, let inodes):
            (disk, loop) = (try stage.mountDisk(bytes: bytes, inodes: inodes, owner: slot), nil)
        case .image(let path, _):
            (disk, loop) = (nil, try stage.mountDisk(image: path, userNamespace: namespace.rawValue))
        }
        try stage.mountLayer(spec.image.root, as: "image", userNamespace: namespace)
        // Held until the sandbox goes: a layer in use is not removed.
        let lease = try spec.image.layer.map { layer throws(SandboxError) in try layers.lease(layer) }
        if let lease { try stage.mountTemplate(device: lease.device, userNamespace: namespace) }
        try stage.mountLayer(runtimeLayer, as: "runtime", userNamespace: namespace)
        try stage.mountOverlay(owner: spec.isPersistent ? slot : nil, hasTemplate: lease != nil)
        return (disk, loop, lease)
    }

    func attachNetwork(_ spec: SandboxSpec, slot: UserSlot, pid: Int32) throws(SandboxError) {
        do {
            let namespace = SharedDescriptor(try processes.open(pid, "ns/net", [.readOnly]))
            try networks.attach(spec.id, slot: slot, namespace: namespace, network: spec.network)
        } catch {
            throw SandboxError(.network, "\(error)")
        }
    }

    /// Waits until soulbox-init listens, or the child says where it failed.
    private func awaitReady(ready: borrowing Descriptor, report: borrowing Descriptor) throws(SandboxError) {
        let deadline = MonotonicClock.now + 10_000_000_000
        var entries = [PollEntry(descriptor: ready.rawValue, events: .input)]
        _ = try step(.initReady) { () throws(SystemCallError) in
            try Poll.wait(&entries, timeout: CInt((deadline - MonotonicClock.now) / 1_000_000))
        }
        var byte: [UInt8] = []
        if !entries[0].returned.isEmpty {
            byte = try step(.initReady) { () throws(SystemCallError) in try Files.read(from: ready.rawValue, count: 1) }
        }
        guard byte != [UInt8(ascii: "R")] else { return }
        guard !entries[0].returned.isEmpty else { throw SandboxError(.initReady, errno: ETIMEDOUT) }
        let words = try step(.initReady) { () throws(SystemCallError) in try Files.read(from: report.rawValue, count: 8)
        }
        guard words.count == 8 else { throw SandboxError(.initReady, "soulbox-init ended before it was ready") }
        func word(_ index: Int) -> Int32 {
            (0..<4).reduce(0) { $0 | Int32(bitPattern: UInt32(words[index * 4 + $1]) << UInt32(8 * $1)) }
        }
        throw SandboxError(.child(word(0)), SystemCallError(call: SandboxStep.child(word(0)).name, errno: word(1)))
    }
}
