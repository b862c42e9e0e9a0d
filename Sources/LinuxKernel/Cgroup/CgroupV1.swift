internal import CLinux
internal import Glibc

/// A control group on a host where each controller has a hierarchy of its own (v1, "hybrid").
struct CgroupV1: Cgroup {
    let path: String
    private let hierarchies: CgroupV1Hierarchies

    /// Rules for devices stand on the sandbox's own group: they pass on to what is below, so a leaf needs none.
    private let devicesPath: String

    init(path: String, hierarchies: CgroupV1Hierarchies) {
        self.path = path
        self.hierarchies = hierarchies
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        devicesPath = parts.count > 3 ? String(path.utf8.prefix(upTo: parts[3].startIndex).dropLast()) ?? path : path
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
        let text = KernelText(try Files.read("/proc/\(pid)/cgroup"))
        let (ours, devices) = ("/" + path, "/" + devicesPath)
        // number:controllers:path; without controllers for cgroup2. No controller's name and no path of ours has a colon.
        var found = 0
        for line in text.lines {
            var fields = line.parts(at: ":").makeIterator()
            guard fields.next() != nil, let second = fields.next() else { continue }
            guard let place = fields.next() else {
                if second.equals(ours) { found += 1 }
                continue
            }
            guard fields.next() == nil else { continue }
            for controller in second.parts(at: ",") {
                if controller.equals("memory") || controller.equals("cpu") || controller.equals("cpuacct")
                    || controller.equals("pids")
                {
                    if place.equals(ours) { found += 1 }
                } else if controller.equals("devices"), place.equals(devices) {
                    found += 1
                }
            }
        }
        return found == 6
    }

    func processes() throws(SystemCallError) -> [Int32] {
        try CgroupFiles.processes("\(hierarchies.unified)/\(path)")
    }

    func kill() throws(SystemCallError) { try CgroupFiles.kill("\(hierarchies.unified)/\(path)") }

    func waitUntilEmpty(deadline: UInt64) -> Bool {
        CgroupFiles.waitUntilEmpty("\(hierarchies.unified)/\(path)", deadline: deadline)
    }

    func memoryCharged() throws(SystemCallError) -> UInt64 {
        try CgroupFiles.number(file(hierarchies.memory, "memory.usage_in_bytes"))
    }

    func memoryInUse() throws(SystemCallError) -> UInt64 {
        CgroupFiles.difference(
            try memoryCharged(),
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
