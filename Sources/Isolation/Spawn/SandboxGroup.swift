internal import LinuxKernel
internal import Synchronization

/// The cgroups of one sandbox: its own with the limits of everything together, PID 1's leaf, and a leaf for each program.
final class SandboxGroup: Sendable {
    /// The sandbox's own group.
    let group: any Cgroup

    /// PID 1's leaf; the sandbox's own group where PID 1 has none.
    let initLeaf: any Cgroup

    private let host: CgroupHost
    private let next: Mutex<Int>

    /// - Parameter firstLeaf: The number of the first leaf to be made; those of a sandbox that is taken over are in use.
    init(group: any Cgroup, initLeaf: any Cgroup, host: CgroupHost, firstLeaf: Int = 1) {
        self.group = group
        self.initLeaf = initLeaf
        self.host = host
        next = Mutex(firstLeaf)
    }

    /// Its name among the instance's.
    var name: String { String(group.path.split(separator: "/").last ?? "") }

    /// The numbers of the leaves that exist.
    func leaves() -> [Int] {
        host.children(of: group.path).compactMap { $0.hasPrefix("x-") ? Int($0.dropFirst(2)) : nil }
    }

    /// The leaf of that number.
    func leaf(_ number: Int) -> any Cgroup {
        // Two digits at least: CRIU refuses a group whose name is shorter than that of PID 1's.
        host.group("\(group.path)/x-\(number < 10 ? "0" : "")\(number)")
    }

    /// Sets the limits of PID 1, where it has a leaf.
    func setInit(_ limits: CgroupLimits) throws(SystemCallError) {
        if initLeaf.path != group.path { try initLeaf.set(limits) }
    }

    /// Makes the leaf of one program, limits set.
    func makeLeaf(_ limits: CgroupLimits) throws(SandboxError) -> any Cgroup {
        leaf(try makeNumberedLeaf(limits))
    }

    /// Leaves up to that number are in use.
    func reserve(through number: Int) { next.withLock { $0 = max($0, number + 1) } }

    /// Makes the leaf of one program, limits set, and gives its number.
    func makeNumberedLeaf(_ limits: CgroupLimits) throws(SandboxError) -> Int {
        let number = next.withLock { number in
            defer { number += 1 }
            return number
        }
        let leaf = leaf(number)
        let result = Result { () throws(SystemCallError) in
            try leaf.create()
            try leaf.set(limits)
        }
        if case .failure(let error) = result {
            try? leaf.remove()
            throw SandboxError(.cgroupCreate, error)
        }
        return number
    }
}
