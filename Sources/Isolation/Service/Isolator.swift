internal import Glibc
public import IsolationProtocol
internal import LinuxKernel
internal import LinuxSecurity
public import Logging
internal import SoulBoxModel

/// The isolation service: everything that lives as long as the process.
public final class Isolator: Sendable {
    let configuration: IsolatorConfiguration
    let images: ImageStore
    let table = ExecutionTable()
    let queue: ExecutionQueue
    let filters: SeccompFilters

    /// The persistent sandboxes.
    let sandboxes: SandboxRegistry

    /// Their networks.
    let networks: SandboxNetworks

    /// The devices of the layers of users' templates.
    let layers: LayerDevices

    /// Where the sandboxes of executions come from.
    let supply: SandboxSupply

    /// What was compiled before.
    let compiled: CompileCache
    /// What starts the programs that wait for next executions; nil when nothing is made ahead.
    let next: NextPrograms?

    private let oneShots: OneShotSandboxes
    private let zygotes: Zygotes
    private let disks: ReadyDisks
    private let cgroups: SandboxCgroups
    private let features: [String]
    private let remover: SandboxRemover
    private let runtimeLayer: String
    private let log: Logger

    /// Prepares the host: probes it, clears away what an earlier run left, starts the builders.
    ///
    /// Throws when the host cannot isolate; there is no weaker mode.
    public init(_ configuration: IsolatorConfiguration, log: Logger) throws {
        self.configuration = configuration
        self.log = log
        // Directories of sandboxes are made for other users; whoever started this process may have meant it otherwise.
        Files.setCreationMask(0o022)
        let probe = try FeatureProbe.run()
        features = probe.features
        // Before the first thread: the kernel keeps capabilities for each thread, and threads inherit them.
        try IsolatorPrivileges.reduce()
        cgroups = try SandboxCgroups(host: probe.cgroups, instance: configuration.instance)
        let templates = TemplateStore(path: "\(configuration.sandboxDirectory)/\(SandboxDirectory.templates)")
        try templates.clearLeftovers()
        images = ImageStore(directory: configuration.imageDirectory, templates: templates)
        layers = LayerDevices()
        compiled = CompileCache(directory: configuration.sandboxDirectory)
        let processes = try ProcessFilesystem()
        try Files.makeDirectory(configuration.runDirectory, mode: 0o755)
        networks = SandboxNetworks(
            instance: configuration.instance, settings: configuration.network,
            runDirectory: configuration.runDirectory, log: log)
        let snapshotPath = "\(configuration.sandboxDirectory)/\(SandboxDirectory.snapshots)"
        let adoption = SandboxAdoption(
            path: configuration.sandboxDirectory, cgroups: cgroups, images: images, processes: processes,
            networks: networks, log: log)
        let found = try adoption.read()
        // Before ids are leased: what still runs has some of them, and what nobody takes over gives them back.
        try Reconciler.removeLeftovers(of: cgroups, except: adoption.living(found), log: log)
        // After that: a restore that was not committed has ended with its group, and lets nobody go on who was not looked
        // at. Before sandboxes are taken over: one whose processes are being written stands still until CRIU is answered.
        CriuRun.settle(snapshotPath + "/" + SnapshotStore.work)
        let leases = "/run/soulbox/uid-leases"
        try Files.makeDirectory("/run/soulbox", mode: 0o755)
        try Files.makeDirectory(leases, mode: 0o700)
        let slots = try UserSlots(
            leaseDirectory: leases, instance: configuration.instance, isAlive: cgroups.hasSandboxes)
        runtimeLayer = try RuntimeLayer.prepare(
            imageDirectory: configuration.imageDirectory, instance: configuration.instance,
            initPath: configuration.initPath, zygotePath: configuration.zygotePath)
        filters = try SeccompFilters()
        queue = ExecutionQueue(limit: configuration.concurrentExecutions)
        let stages = "\(configuration.runDirectory)/stage"
        // To be searched by a sandbox's root that CRIU restores; for everybody else its directories are empty.
        try Files.makeDirectory(stages, mode: 0o711)
        try Files.setMode(stages, 0o711, at: Files.workingDirectory)
        let builder = try SandboxBuilder(
            threads: 2, stageDirectory: stages, runtimeLayer: runtimeLayer, layers: layers, slots: slots,
            cgroups: cgroups, processes: processes, networks: networks)
        let misses = PoolMisses()
        remover = SandboxRemover(
            queue: queue, slots: slots, misses: misses, memoryBytes: max(256 << 20, configuration.pool.memoryBytes / 4),
            log: log)
        zygotes = try Zygotes(
            root: "\(configuration.runDirectory)/zygote", runtimeLayer: runtimeLayer, cgroups: cgroups,
            processes: processes, log: log)
        oneShots = OneShotSandboxes(builder: builder, remover: remover, filters: filters, zygotes: zygotes)
        disks = ReadyDisks(
            directory: "\(configuration.sandboxDirectory)/\(SandboxDirectory.readyDisks)", queue: queue, log: log)
        let persistent = ReadyPersistent(builder: builder, remover: remover, disks: disks, filters: filters)
        supply = SandboxSupply(
            configuration.pool, sandboxes: oneShots, persistent: persistent, networks: networks, queue: queue,
            misses: misses, log: log)
        let adopted = adoption.adopt(found, slots: slots)
        // With what was taken over: the rules of those that run on are put in place with all others, at once.
        networks.start()
        let tools = SnapshotTools.find(
            imageDirectory: configuration.imageDirectory, seconds: configuration.snapshotProcessSeconds)
        if case .failure(let missing) = tools {
            log.warning("memory snapshots are not available", metadata: ["reason": "\(missing)"])
        }
        sandboxes = try SandboxRegistry(
            path: configuration.sandboxDirectory, found: adopted, builder: builder, images: images, remover: remover,
            networks: networks, disks: disks, pool: supply.pool,
            snapshots: try SnapshotStore(path: snapshotPath, log: log), tools: tools, log: log)
        next =
            configuration.pool.isEnabled
            ? NextPrograms(queue: queue, filters: filters, waiting: sandboxes.waiting, log: log) : nil
        next?.start()
        if configuration.pool.isEnabled { try disks.start() }
        supply.start(images)
        log.notice("isolation is ready", metadata: ["cgroups": "\(cgroups.description)"])
    }

    /// How the service stands.
    public var status: IsolatorStatus {
        let counts = queue.counts
        let (taken, ready) = (supply.pool.counts, supply.pool.readyCounts)
        var missing: String?
        if case .failure(let reason) = sandboxes.tools { missing = reason.description }
        return IsolatorStatus(
            version: configuration.version,
            isolation:
                "\(cgroups.description); user, pid, mount, network, ipc, uts and cgroup namespaces; two seccomp filters",
            executionsRunning: counts.running, executionsWaiting: counts.waiting, executionsLimit: queue.limit,
            sandboxes: oneShots.count + supply.pool.persistent.count - supply.pool.readyCount + sandboxes.runningCount,
            ready: ready.reduce(0) { $0 + $1.ready }, readyCounts: ready, readyTaken: taken.taken,
            readyMissed: taken.missed,
            features: features + (networks.problem == nil ? ["network"] : [])
                + (missing == nil ? ["memory snapshots"] : []), memorySnapshotsMissing: missing)
    }

    /// Removes a sandbox that served one execution, in the background.
    func discard(_ sandbox: Sandbox) { oneShots.discard(sandbox) }

    /// Ends every execution and waits until the last sandbox made for one is gone, for at most that many seconds.
    ///
    /// Persistent sandboxes run on, for the next start of the service to take over.
    public func shutDown(within seconds: UInt64) {
        remover.hurry()
        supply.pool.close()
        zygotes.close()
        disks.close()
        table.endAll(.lost)
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        // With those that are being made, which are counted by nobody else yet.
        let made = { [self] in supply.pool.buildingCount + oneShots.count + supply.pool.persistent.count }
        while made() > 0 || table.count > 0, MonotonicClock.now < deadline { usleep(20_000) }
        cgroups.removeInstance()
        networks.end()
        guard made() == 0, sandboxes.runningCount == 0 else { return }
        try? Files.removeTree("\(configuration.imageDirectory)/runtime/\(configuration.instance)")
    }
}
