internal import Glibc
internal import LinuxKernel

/// The cgroups of this instance: `soulbox-<instance>/sbx/<id>/{init,x-<n>}`; on v1 PID 1 of a sandbox for one execution is in
/// `<id>` itself.
final class SandboxCgroups: Sendable {
    /// What PID 1 may use on top of the programs.
    static let initMemory: UInt64 = 16 << 20
    private static let initProcesses = 8

    /// What CRIU may use on top of what it restores.
    private static let restoringMemory: UInt64 = 128 << 20
    private static let restoringProcesses = 64

    /// What an interpreter that only started may use, with the processes that are on their way into a sandbox.
    private static let zygoteMemory: UInt64 = 512 << 20
    private static let zygoteProcesses = 64

    private let host: CgroupHost
    private let top: String

    /// Prepares the instance's groups on this host.
    init(host: CgroupHost, instance: String) throws(SandboxError) {
        self.host = host
        top = "soulbox-\(instance)"
        do {
            // The isolator in a leaf of its own first: on v2 a group with processes cannot pass controllers on.
            try host.prepareInstance(top)
        } catch {
            throw SandboxError(.cgroupCreate, "\(error)")
        }
    }

    /// For people: which cgroup version serves which controller.
    var description: String { host.description }

    /// Makes the groups of a sandbox, limits set and nobody in them.
    ///
    /// - Parameter isRestored: Whether CRIU restores its processes: all of them, and CRIU, are in PID 1's leaf until they are
    ///   whole, and there their memory stays accounted.
    func make(_ spec: SandboxSpec, isRestored: Bool = false) throws(SandboxError) -> SandboxGroup {
        let name = spec.groupName ?? spec.id
        let group = host.group("\(top)/sbx/\(name)")
        // A further group is five directories on v1, and one more memory cgroup to end. A persistent sandbox has it all the same:
        // where it is restored, PID 1's limits and what is accounted there are others than the sandbox's.
        let hasLeaf = spec.isPersistent || !host.allowsInnerProcesses
        let initLeaf = hasLeaf ? host.group("\(top)/sbx/\(name)/init") : group
        let result = Result { () throws(SystemCallError) in
            try group.create()
            try group.set(isRestored ? SandboxCgroups.restoringLimits(spec) : spec.groupLimits)
            try group.restrictDevices()
            guard hasLeaf else { return }
            try initLeaf.create()
            try initLeaf.set(
                isRestored
                    ? SandboxCgroups.restoringLimits(spec) : SandboxCgroups.initLimits(processes: spec.processes))
        }
        if case .failure(let error) = result {
            if hasLeaf { try? initLeaf.remove() }
            try? group.remove()
            throw SandboxError(.cgroupCreate, error)
        }
        return SandboxGroup(group: group, initLeaf: initLeaf, host: host)
    }

    /// The limits of everything in a sandbox together, PID 1 included.
    static func limits(memoryBytes: Int64, cpuMillicores: Int, processes: Int) -> CgroupLimits {
        CgroupLimits(
            memoryBytes: UInt64(memoryBytes) + initMemory, cpuMillicores: cpuMillicores,
            processes: processes + initProcesses, oomGroup: false)
    }

    /// What a sandbox may use while CRIU restores it: with what CRIU needs itself.
    private static func restoringLimits(_ spec: SandboxSpec) -> CgroupLimits {
        CgroupLimits(
            memoryBytes: UInt64(spec.memoryBytes) + initMemory + restoringMemory, cpuMillicores: nil,
            processes: spec.processes + initProcesses + restoringProcesses, oomGroup: false)
    }

    /// The limits of PID 1, with the processes that it has forked and that are not in their own groups yet.
    static func initLimits(processes: Int) -> CgroupLimits {
        CgroupLimits(
            memoryBytes: initMemory, cpuMillicores: nil, processes: initProcesses + processes, oomGroup: false)
    }

    /// The groups of a sandbox that an earlier run of the isolator left running.
    func adopt(_ id: String) -> SandboxGroup {
        let path = "\(top)/sbx/\(id)"
        let numbers = host.children(of: path).compactMap { $0.hasPrefix("x-") ? Int($0.dropFirst(2)) : nil }
        return SandboxGroup(
            group: host.group(path), initLeaf: host.group(path + "/init"), host: host,
            firstLeaf: (numbers.max() ?? 0) + 1)
    }

    /// Whether another instance of this machine has sandboxes.
    func hasSandboxes(instance: String) -> Bool { !host.children(of: "soulbox-\(instance)/sbx").isEmpty }

    /// The identifiers of sandboxes whose groups exist, as an earlier run left them.
    func existing() -> [String] { host.children(of: "\(top)/sbx") }

    /// Kills what is in the groups of a sandbox that an earlier run left, and waits for nothing.
    func killLeftover(_ id: String) { try? host.group("\(top)/sbx/\(id)").kill() }

    /// Kills and removes the groups of a sandbox that an earlier run left.
    func removeLeftover(_ id: String) throws(SandboxError) {
        try SandboxCgroups.remove(host.group("\(top)/sbx/\(id)"))
    }

    /// Makes the group of a zygote, limits set and nobody in it.
    func makeZygote(_ name: String) throws(SandboxError) -> any Cgroup {
        let group = host.group("\(top)/zygotes/\(name)")
        let result = Result { () throws(SystemCallError) in
            try group.create()
            try group.set(
                CgroupLimits(
                    memoryBytes: SandboxCgroups.zygoteMemory, cpuMillicores: nil,
                    processes: SandboxCgroups.zygoteProcesses, oomGroup: true))
            try group.restrictDevices()
        }
        if case .failure(let error) = result {
            try? group.remove()
            throw SandboxError(.cgroupCreate, error)
        }
        return group
    }

    /// Kills and removes the zygotes that an earlier run of the isolator left.
    func removeZygotes() throws(SandboxError) {
        for name in host.children(of: "\(top)/zygotes") {
            try SandboxCgroups.remove(host.group("\(top)/zygotes/\(name)"))
        }
    }

    /// Kills what is in a group and removes it.
    static func remove(_ group: any Cgroup) throws(SandboxError) {
        try step(.removal) { () throws(SystemCallError) in
            try group.kill()
            guard group.waitUntilEmpty(deadline: MonotonicClock.now + 10_000_000_000) else {
                throw SystemCallError(call: "cgroup.kill", errno: EBUSY)
            }
            try group.removeTree()
        }
    }

    /// Removes the instance's own groups, once no sandbox is left.
    func removeInstance() { host.removeInstance(top) }
}
