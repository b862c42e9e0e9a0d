/// Where the hierarchies of a v1 or hybrid host are mounted.
struct CgroupV1Hierarchies: Sendable, Equatable {
    let memory: String
    let cpu: String
    let cpuacct: String
    let pids: String
    let devices: String
    /// A cgroup2 mount; it carries no controllers that matter here, but kills and tells who is left.
    let unified: String

    /// Those in which every group has a directory, each once: cpu and cpuacct are often one.
    var accounting: [String] {
        var unique: [String] = []
        for hierarchy in [memory, cpu, cpuacct, pids] where !unique.contains(hierarchy) { unique.append(hierarchy) }
        return unique
    }
}
