/// What sandbox to build.
struct SandboxSpec: Sendable {
    /// A name that nobody can guess, unique on the machine; part of cgroup paths.
    let id: String

    /// The image it starts from.
    let image: Image

    /// The size of its disk in bytes.
    let diskBytes: Int64

    /// How many files and directories its disk holds.
    let inodes: Int

    /// The memory of everything in it together, in bytes.
    let memoryBytes: Int64

    /// Processor time of everything in it together, in thousandths of a core.
    let cpuMillicores: Int

    /// Processes and threads of everything in it together.
    let processes: Int

    /// The size of `/dev/shm` in bytes.
    let sharedMemoryBytes: Int64
}
