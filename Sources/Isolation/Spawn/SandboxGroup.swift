internal import LinuxKernel
internal import Synchronization

/// The cgroups of one sandbox: its own with the limits of everything together, PID 1's leaf, and a leaf for each program.
final class SandboxGroup: Sendable {
    /// The sandbox's own group. It holds no process itself.
    let group: any Cgroup

    /// PID 1's leaf.
    let initLeaf: any Cgroup

    private let host: CgroupHost
    private let next = Mutex(1)

    init(group: any Cgroup, initLeaf: any Cgroup, host: CgroupHost) {
        self.group = group
        self.initLeaf = initLeaf
        self.host = host
    }

    /// Makes the leaf of one program, limits set.
    func makeLeaf(_ limits: CgroupLimits) throws(SandboxError) -> any Cgroup {
        let number = next.withLock { number in
            defer { number += 1 }
            return number
        }
        let leaf = host.group("\(group.path)/x-\(number)")
        let result = Result { () throws(SystemCallError) in
            try leaf.create()
            try leaf.set(limits)
        }
        if case .failure(let error) = result {
            try? leaf.remove()
            throw SandboxError(.cgroupCreate, error)
        }
        return leaf
    }
}
