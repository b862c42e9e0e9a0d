internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// The persistent sandboxes of the instance.
final class SandboxRegistry: Sendable {
    /// What the host must have left for a new disk.
    private static let freeBytes: UInt64 = 512 << 20

    let path: String
    let builder: SandboxBuilder
    let images: ImageStore
    let remover: SandboxRemover
    let networks: SandboxNetworks
    let watch: SandboxWatch
    let waiting = WaitingPrograms()
    private let disks: ReadyDisks
    let pool: ReadyPool
    /// The snapshots of the instance.
    let snapshots: SnapshotStore
    /// What snapshots are taken and restored with.
    let tools: Result<SnapshotTools, SnapshotTools.Missing>
    let log: Logger
    private let table: Mutex<[String: ManagedSandbox]>

    /// - Parameter found: What an earlier run left, some of it running on.
    init(
        path: String, found: [ManagedSandbox], builder: SandboxBuilder, images: ImageStore, remover: SandboxRemover,
        networks: SandboxNetworks, disks: ReadyDisks, pool: ReadyPool, snapshots: SnapshotStore,
        tools: Result<SnapshotTools, SnapshotTools.Missing>, log: Logger
    ) throws(SandboxError) {
        self.snapshots = snapshots
        self.tools = tools
        self.disks = disks
        self.pool = pool
        self.path = path
        self.builder = builder
        self.images = images
        self.remover = remover
        self.networks = networks
        self.log = log
        watch = try SandboxWatch()
        table = Mutex(Dictionary(found.map { ($0.id, $0) }) { first, _ in first })
        watch.start { [self] managed, process in noticeDeath(of: process, managed) }
        for managed in found { if let process = managed.running?.process { watch.add(managed, process) } }
    }

    /// How many run.
    var runningCount: Int { table.withLock { Array($0.values) }.count { $0.running != nil } }

    /// The sandbox of that name, when it belongs to the account.
    func find(_ id: String, account: String) throws(IsolationError) -> ManagedSandbox {
        // One whose state file cannot be read belongs to nobody; it can only be removed.
        guard let managed = table.withLock({ $0[id] }), managed.account == account else {
            throw IsolationError(.sandboxNotFound, id)
        }
        return managed
    }

    /// Those that come after a name, in the order of their names; without what went over their links.
    func all(after name: String, limit: Int) -> [SandboxState] {
        table.withLock { Array($0.values) }.filter { $0.id > name }.sorted { $0.id < $1.id }.prefix(limit)
            .map { $0.inspect() }
    }

    /// Makes a sandbox and starts it; one that is there already is started.
    func create(
        _ id: String, account: String, image: Image, limits: SandboxLimits, network: SandboxNetwork
    ) throws -> SandboxState {
        let directory = SandboxDirectory(path: "\(path)/\(id)")
        let record = SandboxRecord(id: id, account: account, image: image.name, limits: limits, network: network)
        let new = ManagedSandbox(record, directory: directory, isChanging: true)
        if network.enabled { try networks.requireAvailable() }
        // Nothing is made ahead while somebody waits for this one.
        pool.queue.noteRequest()
        defer { pool.queue.noteRequest() }
        if let known = add(new) {
            guard known.account == account else { throw IsolationError(.sandboxNotFound, id) }
            try known.change(keepsWaiting: true) { try run(known) }
            return inspect(known)
        }
        defer { new.finishChange() }
        do {
            try checkSpace()
            if startReady(new, of: image) {
                if let process = new.running?.process { watch.add(new, process) }
            } else {
                try directory.make(record, from: disks)
                try run(new, diskIsNew: true)
            }
        } catch {
            try? directory.remove()
            new.state.update { $0.isRemoved = true }
            forget(new)
            throw error
        }
        log.info("sandbox made", metadata: ["sandbox.id": "\(id)"])
        // Nothing has gone over its link yet, and to ask the packet filter takes a process.
        var state = new.inspect()
        if network.enabled { state.traffic = SandboxTraffic(sentBytes: 0, receivedBytes: 0, refusedPackets: 0) }
        return state
    }

    /// Starts a sandbox.
    func start(_ managed: ManagedSandbox) throws -> SandboxState {
        try managed.change(keepsWaiting: true) { try run(managed) }
        return inspect(managed)
    }

    /// Changes what a sandbox may use and reach, at once when it runs.
    ///
    /// - Parameter network: Nil leaves it as it is.
    func update(_ managed: ManagedSandbox, _ limits: SandboxLimits, _ network: SandboxNetwork?) throws -> SandboxState {
        try managed.change { try managed.update(limits, network ?? managed.network, networks) }
        return inspect(managed)
    }

    /// How a sandbox stands.
    func inspect(_ managed: ManagedSandbox) -> SandboxState {
        var state = managed.inspect()
        if state.network.enabled, let slot = managed.running?.slot { state.traffic = networks.traffic(of: slot) }
        return state
    }

    /// Stops a sandbox.
    func stop(_ managed: ManagedSandbox) throws -> SandboxState {
        try managed.change { try managed.stop(remover) }
        return inspect(managed)
    }

    /// Stops all, as the whole service ends.
    func stopAll() {
        for managed in table.withLock({ Array($0.values) }) where managed.running != nil {
            do {
                _ = try stop(managed)
            } catch {
                log.error("a sandbox was not stopped", metadata: ["sandbox.id": "\(managed.id)", "error": "\(error)"])
            }
        }
    }

    /// Removes a sandbox with everything in it; one that is not there is no error.
    func remove(_ id: String, account: String) throws {
        guard let managed = table.withLock({ $0[id] }), managed.account == account || managed.account.isEmpty else {
            return
        }
        do {
            try managed.change {
                try managed.stop(remover)
                try managed.directory.remove()
                managed.state.update { $0.isRemoved = true }
            }
        } catch let error as IsolationError where error.code == .sandboxNotFound {
            // Another call was faster.
        }
        forget(managed)
        log.info("sandbox removed", metadata: ["sandbox.id": "\(id)"])
    }

    /// Makes the disk of a sandbox the layer of a template's image; the sandbox ends with that. Gives the layer's size.
    func seal(
        _ managed: ManagedSandbox, as name: TemplateImageName, variables: [ExecutionSpec.Variable]
    ) throws -> Int64 {
        let size = try managed.change { () throws -> Int64 in
            let image = managed.imageName
            guard TemplateImageName(image) == nil else {
                throw IsolationError(.conflict, "a template is made above a system template only")
            }
            try managed.stop(remover)
            let disk = managed.directory.disk
            let device = managed.state.read { $0.device }
            guard managed.directory.awaitDisk(lastDevice: device) else {
                throw IsolationError(.conflict, "a file of the sandbox is being downloaded")
            }
            let size = try TemplateSeal.clean(disk)
            // The kernel writes the last blocks as it takes the mount apart; only then is everything in the file.
            guard managed.directory.awaitDisk(lastDevice: nil) else { throw SandboxError(.seal, "the disk is in use") }
            try images.templates.publish(
                TemplateRecord(
                    name: name.text, account: managed.account, base: image, size: size, variables: variables),
                disk: disk)
            // Without its disk it is none any more, whatever becomes of the rest of its directory.
            managed.state.update { $0.isRemoved = true }
            try? managed.directory.remove()
            return size
        }
        forget(managed)
        log.info("template sealed", metadata: ["image": "\(name.text)", "sandbox.id": "\(managed.id)"])
        return size
    }

    /// Whether a sandbox, running or not, is made from the image of that name.
    func uses(image name: String) -> Bool {
        table.withLock { Array($0.values) }.contains { $0.imageName == name }
    }

    /// Puts a sandbox on the table; gives the one that has its name already instead.
    func add(_ new: ManagedSandbox) -> ManagedSandbox? {
        table.withLock { table in
            if let known = table[new.id] { return known }
            table[new.id] = new
            return nil
        }
    }

    /// Takes a sandbox that is gone off the table; one of the same name that was made since stays.
    func forget(_ managed: ManagedSandbox) {
        table.withLock { if $0[managed.id] === managed { $0.removeValue(forKey: managed.id) } }
    }

    /// - Parameter diskIsNew: Whether the disk was made a moment ago, so that nobody can have it in use.
    private func run(_ managed: ManagedSandbox, diskIsNew: Bool = false) throws {
        if managed.network.enabled, managed.running == nil { try networks.requireAvailable() }
        if managed.state.read({ $0.phase }) == .paused { return try resumeWithinChange(managed) }
        try managed.start(builder, images, diskIsNew: diskIsNew)
        if let process = managed.running?.process { watch.add(managed, process) }
    }

    /// A PID 1 has ended; where nobody asked for it, the sandbox has failed.
    private func noticeDeath(of process: SharedProcess, _ managed: ManagedSandbox) {
        do {
            try managed.change {
                guard managed.running?.process === process else { return }
                log.error("a sandbox's first process has ended", metadata: ["sandbox.id": "\(managed.id)"])
                try managed.stop(failure: "its first process was killed", remover)
            }
        } catch let error as IsolationError where error.code == .sandboxNotFound {
            // Removed: that is why it ended.
        } catch {
            log.error("a dead sandbox was not cleared", metadata: ["sandbox.id": "\(managed.id)", "error": "\(error)"])
        }
    }

    func checkSpace() throws {
        let directory = try Files.openDirectory(path)
        guard try Files.space(of: directory.rawValue).availableBytes > SandboxRegistry.freeBytes else {
            throw IsolationError(.noSpace, "the host's disk is full")
        }
    }
}
