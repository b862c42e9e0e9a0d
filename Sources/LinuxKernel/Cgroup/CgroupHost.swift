internal import Glibc

/// What cgroups this host has, found by looking.
public struct CgroupHost: Sendable, CustomStringConvertible {
    private enum Version: Sendable {
        case one(CgroupV1Hierarchies)
        case two(root: String)
    }

    private let version: Version

    /// Looks at the mounts of the calling process. A missing controller is an error that names it.
    public static func probe() throws(CgroupError) -> CgroupHost {
        let mounts = CgroupMounts(mountinfo: (try? Files.readString("/proc/self/mountinfo", maximum: 16 << 20)) ?? "")
        guard let unified = mounts.unified else { throw CgroupError(missing: ["a cgroup2 mount"]) }
        let available =
            (try? Files.readString("\(unified)/cgroup.controllers"))?.split(whereSeparator: \.isWhitespace) ?? []
        if ["cpu", "memory", "pids"].allSatisfy({ name in available.contains { $0 == name } }) {
            return CgroupHost(version: .two(root: unified))
        }
        var missing: [String] = []
        func mount(_ controller: String) -> String {
            if let mount = mounts.controllers[controller] { return mount }
            missing.append("cgroup controller " + controller)
            return ""
        }
        let hierarchies = CgroupV1Hierarchies(
            memory: mount("memory"), cpu: mount("cpu"), cpuacct: mount("cpuacct"), pids: mount("pids"),
            devices: mount("devices"), unified: unified)
        guard missing.isEmpty else { throw CgroupError(missing: missing) }
        return CgroupHost(version: .one(hierarchies))
    }

    /// For people.
    public var description: String {
        switch version {
        case .one: "cgroup v1 (hybrid)"
        case .two: "cgroup v2"
        }
    }

    /// Where cgroup.kill would show: in any group but the root. Empty when no cgroup2 mount has a group.
    public static var killFiles: [String] {
        let mounts = CgroupMounts(mountinfo: (try? Files.readString("/proc/self/mountinfo", maximum: 16 << 20)) ?? "")
        guard let unified = mounts.unified else { return [] }
        let probe = "\(unified)/soulbox-probe"
        // A group of our own, for a moment: the root has no such file, and others' groups are not ours to look into.
        guard mkdir(probe, 0o755) == 0 || errno == EEXIST else { return [] }
        defer { _ = rmdir(probe) }
        return Files.exists(probe + "/cgroup.kill") ? [unified + "/cgroup.procs"] : []
    }

    /// Whether a group with groups below it may hold processes itself: in v2 it may not ("no internal process constraint",
    /// cgroups(7)).
    public var allowsInnerProcesses: Bool { if case .one = version { true } else { false } }

    /// The group at that path, made or not.
    public func group(_ path: String) -> any Cgroup {
        switch version {
        case .one(let hierarchies): CgroupV1(path: path, hierarchies: hierarchies)
        case .two(let root): CgroupV2(path: path, root: root)
        }
    }

    private var roots: [String] {
        switch version {
        case .one(let hierarchies): hierarchies.accounting + [hierarchies.devices, hierarchies.unified]
        case .two(let root): [root]
        }
    }

    /// The groups of an instance that hold groups with processes, and none themselves.
    private static let inner = ["sbx", "zygotes"]

    /// Makes `top`, `top/sbx` and `top/zygotes`, ready for sandboxes and zygotes.
    public func prepareInstance(_ top: String) throws(SystemCallError) {
        for root in roots {
            try Files.makeDirectory("\(root)/\(top)", mode: 0o755)
            for name in CgroupHost.inner { try Files.makeDirectory("\(root)/\(top)/\(name)", mode: 0o755) }
        }
        guard case .two(let root) = version else { return }
        for directory in [root, "\(root)/\(top)"] + CgroupHost.inner.map({ "\(root)/\(top)/\($0)" }) {
            try CgroupFiles.write(directory + "/cgroup.subtree_control", CgroupV2.controllers)
        }
    }

    /// The names of the groups below a path, in any hierarchy: an unfinished removal may have left some of them.
    public func children(of path: String) -> [String] {
        Array(Set(roots.flatMap { CgroupFiles.children("\($0)/\(path)") })).sorted()
    }

    /// Removes `top` and what is in it; groups that still have processes stay.
    public func removeInstance(_ top: String) {
        for root in roots {
            for name in CgroupHost.inner { _ = rmdir("\(root)/\(top)/\(name)") }
            _ = rmdir("\(root)/\(top)")
        }
    }
}
