internal import CLinux
internal import Glibc

/// A control group on a host with the one hierarchy of cgroup v2.
struct CgroupV2: Cgroup {
    let path: String
    let root: String
    /// Passed on to the groups below this one.
    static let controllers = "+cpu +memory +pids"

    private var directory: String { "\(root)/\(path)" }

    /// Only a sandbox's own group, `top/sbx/<id>`, has groups below it.
    private var isLeaf: Bool {
        let names = path.split(separator: "/")
        return names.count != 3 || names[1] != "sbx"
    }

    func create() throws(SystemCallError) {
        try CgroupFiles.makeNew(directory)
        // Before anything is in it: a group with processes cannot pass controllers on.
        if !isLeaf { try CgroupFiles.write(directory + "/cgroup.subtree_control", CgroupV2.controllers) }
    }

    func set(_ limits: CgroupLimits) throws(SystemCallError) {
        if let memory = limits.memoryBytes {
            try CgroupFiles.write(directory + "/memory.max", String(memory))
            // A kernel without swap has neither file.
            for name in ["memory.swap.max", "memory.zswap.max"] where Files.exists("\(directory)/\(name)") {
                try CgroupFiles.write("\(directory)/\(name)", "0")
            }
        }
        if limits.oomGroup { try CgroupFiles.write(directory + "/memory.oom.group", "1") }
        if let cpu = limits.cpuMillicores {
            let quota = max(1000, cpu * 100)
            try CgroupFiles.setBandwidth(
                quota: (directory + "/cpu.max", "\(quota) 100000"), burst: (directory + "/cpu.max.burst", "\(quota)"))
        }
        if let processes = limits.processes { try CgroupFiles.write(directory + "/pids.max", String(processes)) }
    }

    func setWeight(percent: Int) throws(SystemCallError) {
        // 100 is the ordinary weight, 1 the least.
        try CgroupFiles.write(directory + "/cpu.weight", String(max(1, percent)))
    }

    func restrictDevices() throws(SystemCallError) {
        let group = try Files.openDirectory(directory)
        let raw = group.rawValue
        try check("bpf") { soulbox_restrict_devices(raw) }
    }

    func attach(pid: Int32) throws(SystemCallError) {
        try CgroupFiles.write(directory + "/cgroup.procs", String(pid))
    }

    func openForClone() throws(SystemCallError) -> Descriptor { try Files.openDirectory(directory) }

    func contains(pid: Int32) throws(SystemCallError) -> Bool {
        try Files.readString("/proc/\(pid)/cgroup").split(separator: "\n").contains { $0 == "0::/\(path)" }
    }

    func processes() throws(SystemCallError) -> [Int32] { try CgroupFiles.processes(directory) }

    func kill() throws(SystemCallError) { try CgroupFiles.kill(directory) }

    func waitUntilEmpty(deadline: UInt64) -> Bool { CgroupFiles.waitUntilEmpty(directory, deadline: deadline) }

    func memoryCharged() throws(SystemCallError) -> UInt64 {
        try CgroupFiles.number(directory + "/memory.current")
    }

    func memoryInUse() throws(SystemCallError) -> UInt64 {
        CgroupFiles.difference(
            try memoryCharged(),
            try CgroupFiles.number(directory + "/memory.stat", key: "inactive_file"))
    }

    func usage() throws(SystemCallError) -> CgroupUsage {
        CgroupUsage(
            memoryPeak: try CgroupFiles.number(directory + "/memory.peak"),
            cpuMicroseconds: try CgroupFiles.number(directory + "/cpu.stat", key: "usage_usec"),
            oomKills: try CgroupFiles.number(directory + "/memory.events", key: "oom_kill"),
            processLimitHits: try CgroupFiles.number(directory + "/pids.events", key: "max"))
    }

    /// Nothing to watch: memory.oom.group ends the group.
    func watchOutOfMemory() throws(SystemCallError) -> SharedDescriptor? { nil }

    func remove() throws(SystemCallError) { try CgroupFiles.remove(directory) }

    func removeTree() throws(SystemCallError) { try CgroupFiles.removeTree(directory) }
}
