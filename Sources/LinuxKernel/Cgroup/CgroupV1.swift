internal import CLinux
internal import Glibc

/// A control group on a host where each controller has a hierarchy of its own (v1, "hybrid").
struct CgroupV1: Cgroup {
    let path: String
    let hierarchies: CgroupV1Hierarchies

    /// Rules for devices stand on the sandbox's own group: they pass on to what is below, so a leaf needs none.
    private var devicesPath: String {
        let parts = path.split(separator: "/")
        return parts.count > 3 ? parts.dropLast().joined(separator: "/") : path
    }

    private func file(_ hierarchy: String, _ name: String) -> String { "\(hierarchy)/\(path)/\(name)" }

    /// Every hierarchy in which the group has a directory of its own.
    private var directories: [String] {
        var roots = hierarchies.accounting + [hierarchies.unified]
        if devicesPath == path { roots.append(hierarchies.devices) }
        return roots.map { "\($0)/\(path)" }
    }

    func create() throws(SystemCallError) {
        for directory in directories { try CgroupFiles.makeNew(directory) }
    }

    func set(_ limits: CgroupLimits) throws(SystemCallError) {
        if let memory = limits.memoryBytes {
            let limit = file(hierarchies.memory, "memory.limit_in_bytes")
            let withSwap = file(hierarchies.memory, "memory.memsw.limit_in_bytes")
            // Memory and swap together may never be below memory alone: going down memory goes first, going up the sum.
            // A kernel without swap accounting has no second file, and no swap then either (the start-up probe looks).
            let hasSwap = Files.exists(withSwap)
            if hasSwap, try CgroupFiles.number(limit) < memory { try CgroupFiles.write(withSwap, String(memory)) }
            try CgroupFiles.write(limit, String(memory))
            if hasSwap { try CgroupFiles.write(withSwap, String(memory)) }
        }
        if let cpu = limits.cpuMillicores {
            try CgroupFiles.write(file(hierarchies.cpu, "cpu.cfs_period_us"), "100000")
            let quota = String(max(1000, cpu * 100))
            try CgroupFiles.setBandwidth(
                quota: (file(hierarchies.cpu, "cpu.cfs_quota_us"), quota),
                burst: (file(hierarchies.cpu, "cpu.cfs_burst_us"), quota))
        }
        if let processes = limits.processes {
            try CgroupFiles.write(file(hierarchies.pids, "pids.max"), String(processes))
        }
    }

    func setWeight(percent: Int) throws(SystemCallError) {
        // 1024 is the ordinary share, 2 the least.
        try CgroupFiles.write(file(hierarchies.cpu, "cpu.shares"), String(max(2, 1024 * percent / 100)))
    }

    func restrictDevices() throws(SystemCallError) {
        try CgroupFiles.write(file(hierarchies.devices, "devices.deny"), "a")
        for device in ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2", "136:*"] {
            try CgroupFiles.write(file(hierarchies.devices, "devices.allow"), "c \(device) rw")
        }
    }

    func attach(pid: Int32) throws(SystemCallError) {
        for hierarchy in hierarchies.accounting + [hierarchies.unified] {
            try CgroupFiles.write(file(hierarchy, "cgroup.procs"), String(pid))
        }
        try CgroupFiles.write("\(hierarchies.devices)/\(devicesPath)/cgroup.procs", String(pid))
    }

    func openForClone() throws(SystemCallError) -> Descriptor {
        try Files.openDirectory("\(hierarchies.unified)/\(path)")
    }

    func contains(pid: Int32) throws(SystemCallError) -> Bool {
        let lines = try Files.readString("/proc/\(pid)/cgroup").split(separator: "\n")
        func isIn(_ controller: String, _ wanted: String) -> Bool {
            lines.contains { line in
                let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard fields.count == 3, fields[2] == "/" + wanted else { return false }
                return controller.isEmpty
                    ? fields[1].isEmpty : fields[1].split(separator: ",").contains { $0 == controller }
            }
        }
        return ["memory", "cpu", "cpuacct", "pids", ""].allSatisfy { isIn($0, path) } && isIn("devices", devicesPath)
    }

    func processes() throws(SystemCallError) -> [Int32] {
        try CgroupFiles.processes("\(hierarchies.unified)/\(path)")
    }

    func kill() throws(SystemCallError) { try CgroupFiles.kill("\(hierarchies.unified)/\(path)") }

    func waitUntilEmpty(deadline: UInt64) -> Bool {
        CgroupFiles.waitUntilEmpty("\(hierarchies.unified)/\(path)", deadline: deadline)
    }

    func memoryInUse() throws(SystemCallError) -> UInt64 {
        CgroupFiles.difference(
            try CgroupFiles.number(file(hierarchies.memory, "memory.usage_in_bytes")),
            try CgroupFiles.number(file(hierarchies.memory, "memory.stat"), key: "total_inactive_file"))
    }

    func usage() throws(SystemCallError) -> CgroupUsage {
        CgroupUsage(
            memoryPeak: try CgroupFiles.number(file(hierarchies.memory, "memory.max_usage_in_bytes")),
            cpuMicroseconds: try CgroupFiles.number(file(hierarchies.cpuacct, "cpuacct.usage")) / 1000,
            oomKills: try CgroupFiles.number(file(hierarchies.memory, "memory.oom_control"), key: "oom_kill"),
            processLimitHits: try CgroupFiles.number(file(hierarchies.pids, "pids.events"), key: "max"))
    }

    func watchOutOfMemory() throws(SystemCallError) -> SharedDescriptor? {
        let control = try Files.open(file(hierarchies.memory, "memory.oom_control"), .readOnly)
        let event = Descriptor(owning: try check("eventfd") { soulbox_eventfd() })
        try CgroupFiles.write(
            file(hierarchies.memory, "cgroup.event_control"), "\(event.rawValue) \(control.rawValue)")
        return SharedDescriptor(event)
    }

    func remove() throws(SystemCallError) {
        for directory in directories.reversed() { try CgroupFiles.remove(directory) }
    }

    func removeTree() throws(SystemCallError) {
        for directory in directories.reversed() { try CgroupFiles.removeTree(directory) }
    }
}
