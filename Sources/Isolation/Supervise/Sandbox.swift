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

    private let remains: SandboxRemains
    private let layer: LayerDevices.Lease?

    init(
        spec: SandboxSpec, slot: UserSlot, pid: pid_t, process: SharedProcess, group: SandboxGroup,
        disk: SharedDescriptor?, loop: Int32?,
        root: SharedDescriptor, remains: SandboxRemains, processes: ProcessFilesystem, layer: LayerDevices.Lease? = nil
    ) {
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

    /// Connects to PID 1, through the descriptor of the sandbox's root.
    func connect() throws(SandboxError) -> InitConnection {
        let socket = try step(.initConnect) { () throws(SystemCallError) in
            try UnixSocket.connect(to: "/proc/self/fd/\(root.rawValue)/run/soulbox/control", kind: .sequencedPacket)
        }
        try step(.initConnect) { () throws(SystemCallError) in try UnixSocket.passCredentials(on: socket) }
        return InitConnection(owning: socket)
    }

    /// The space of its disk.
    func space() throws(SandboxError) -> FilesystemSpace {
        try step(.supervise) { () throws(SystemCallError) in try Files.space(of: (disk ?? root).rawValue) }
    }

    /// Kills everything in it and removes it without a trace. Returns whether all is gone.
    @discardableResult
    func remove() -> Bool { remains.remove() }
}
