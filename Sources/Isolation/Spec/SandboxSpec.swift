internal import IsolationProtocol
internal import LinuxKernel

/// What sandbox to build.
struct SandboxSpec: Sendable {
    /// A name that nobody can guess, unique on the machine; part of cgroup paths.
    var id: String

    /// The name of its cgroups, where that is another one: while a sandbox is restored its earlier self has `id`.
    var groupName: String?

    /// The image it starts from.
    let image: Image

    /// What its files are written to.
    enum Disk: Sendable, Equatable {
        /// Memory, gone with the sandbox: a tmpfs with a limit of bytes and of files.
        case memory(bytes: Int64, inodes: Int)
        /// A filesystem in a file, which outlives the sandbox's processes.
        case image(path: String, bytes: Int64)

        /// Its size in bytes.
        var bytes: Int64 {
            switch self {
            case .memory(let bytes, _), .image(_, let bytes): bytes
            }
        }
    }

    /// Its disk.
    let disk: Disk

    /// Whether it outlives the execution that it is made for.
    var isPersistent: Bool { if case .image = disk { true } else { false } }

    /// The memory of everything in it together, in bytes.
    let memoryBytes: Int64

    /// Processor time of everything in it together, in thousandths of a core.
    let cpuMillicores: Int

    /// Processes and threads of everything in it together.
    let processes: Int

    /// The limits of its cgroup, with what PID 1 may use on top.
    var groupLimits: CgroupLimits {
        SandboxCgroups.limits(memoryBytes: memoryBytes, cpuMillicores: cpuMillicores, processes: processes)
    }

    /// The size of `/dev/shm` in bytes.
    let sharedMemoryBytes: Int64

    /// What it may reach.
    var network = SandboxNetwork.none
}
