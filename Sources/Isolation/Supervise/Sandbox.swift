internal import Glibc
internal import LinuxKernel

/// A living sandbox: PID 1 waits for programs.
final class Sandbox: Sendable {
    /// What it was built from.
    let spec: SandboxSpec
    /// Its host ids.
    let slot: UserSlot
    /// The host's pid of its PID 1; for reading `/proc` while `process` is unreaped, never for signals.
    let pid: pid_t
    /// Its PID 1.
    let process: SharedProcess
    /// Its cgroups.
    let group: SandboxGroup
    /// Where the kernel tells of its processes.
    let processes: ProcessFilesystem
    /// The root of its disk, which holds the upper layer; nil for a persistent one, whose files are reached by `root`.
    let disk: SharedDescriptor?
    /// The number of the loop device of a persistent one's disk.
    let loop: Int32?
    /// Its root directory as it sees it.
    let root: SharedDescriptor

    /// Who is connected to its PID 1.
    let door: SandboxDoor

    /// How long a connection waits for a snapshot to be taken, in nanoseconds.
    private static let doorNanoseconds: UInt64 = 60_000_000_000

    private let remains: SandboxRemains
    private let layer: LayerDevices.Lease?

    init(
        spec: SandboxSpec, slot: UserSlot, pid: pid_t, process: SharedProcess, group: SandboxGroup,
        disk: SharedDescriptor?, loop: Int32?,
        root: SharedDescriptor, remains: SandboxRemains, processes: ProcessFilesystem, layer: LayerDevices.Lease? = nil,
        door: SandboxDoor = SandboxDoor()
    ) {
        self.door = door
        self.spec = spec
        self.slot = slot
        self.pid = pid
        self.process = process
        self.group = group
        self.disk = disk
        self.loop = loop
        self.root = root
        self.remains = remains
        self.layer = layer
        self.processes = processes
    }

    /// The same sandbox with other limits. No program of a user's has run in it.
    func resized(to spec: SandboxSpec) throws(SandboxError) -> Sandbox {
        try step(.cgroupAttach) { () throws(SystemCallError) in
            if spec.groupLimits != self.spec.groupLimits { try group.group.set(spec.groupLimits) }
            if spec.processes != self.spec.processes {
                try group.setInit(SandboxCgroups.initLimits(processes: spec.processes))
            }
            try group.group.setWeight(percent: 100)
        }
        if let disk, case .memory(let bytes, let inodes) = spec.disk, spec.disk != self.spec.disk {
            try step(.stageDisk) { () throws(SystemCallError) in
                try Mount.resize(disk: disk.rawValue, bytes: bytes, inodes: inodes)
            }
        }
        if spec.sharedMemoryBytes != self.spec.sharedMemoryBytes {
            try step(.stageDisk) { () throws(SystemCallError) in
                let memory = try Files.open(
                    "dev/shm", [.readOnly, .directory], resolve: [.beneath, .noSymlinks], at: root.rawValue)
                try Mount.resize(disk: memory.rawValue, bytes: spec.sharedMemoryBytes, inodes: 1024)
            }
        }
        return Sandbox(
            spec: spec, slot: slot, pid: pid, process: process, group: group, disk: disk, loop: loop, root: root,
            remains: remains, processes: processes, layer: layer, door: door)
    }

    /// Connects to PID 1, through the descriptor of the sandbox's root; waits while a snapshot of its processes is taken.
    func connect() throws(SandboxError) -> InitConnection {
        guard let passage = door.pass(until: MonotonicClock.now + Sandbox.doorNanoseconds) else {
            throw SandboxError(.initConnect, "a snapshot takes too long")
        }
        return try connect(through: passage)
    }

    /// Connects to PID 1.
    func connect(through passage: SandboxDoor.Passage) throws(SandboxError) -> InitConnection {
        let socket = try step(.initConnect) { () throws(SystemCallError) in
            try UnixSocket.connect(to: "/proc/self/fd/\(root.rawValue)/run/soulbox/control", kind: .sequencedPacket)
        }
        try step(.initConnect) { () throws(SystemCallError) in try UnixSocket.passCredentials(on: socket) }
        return InitConnection(owning: socket, passage: passage)
    }

    /// Keeps a connection open whose process may still live: a sandbox for one execution ends with it.
    func hold(_ connection: InitConnection) {
        if !spec.isPersistent { remains.hold(connection) }
    }

    /// The space of its disk.
    func space() throws(SandboxError) -> FilesystemSpace {
        try step(.supervise) { () throws(SystemCallError) in try Files.space(of: (disk ?? root).rawValue) }
    }

    /// Kills everything in it and removes it without a trace. Returns whether all is gone.
    @discardableResult
    func remove() -> Bool { remains.remove() }
}
