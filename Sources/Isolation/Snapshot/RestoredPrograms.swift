internal import Glibc
internal import LinuxKernel

/// The processes of a sandbox by their leaves: which there are before a snapshot, and back into them after a restore.
struct RestoredPrograms {
    let sandbox: Sandbox
    /// The processes of each leaf, by their ids in the sandbox.
    let leaves: [Int: [Int32]]

    init(sandbox: Sandbox, leaves: [Int: [Int32]]) {
        self.sandbox = sandbox
        self.leaves = leaves
    }

    /// What runs in a sandbox now.
    init(of sandbox: Sandbox) throws(SandboxError) {
        var leaves: [Int: [Int32]] = [:]
        for number in sandbox.group.leaves() {
            let pids = try RestoredPrograms.members(sandbox.group.leaf(number), sandbox).map(\.inner)
            if !pids.isEmpty { leaves[number] = pids.sorted() }
        }
        self.init(sandbox: sandbox, leaves: leaves)
    }

    /// Moves every process into the leaf that it was in. What a program started and nobody noted stays with its parent's.
    func place() throws(SandboxError) {
        var numbers: [Int32: Int] = [:]
        for (number, pids) in leaves { for pid in pids { numbers[pid] = number } }
        let spec = sandbox.spec
        for number in leaves.keys.sorted() {
            let leaf = sandbox.group.leaf(number)
            try step(.cgroupCreate) { () throws(SystemCallError) in
                try leaf.create()
                try leaf.set(
                    CgroupLimits(
                        memoryBytes: UInt64(spec.memoryBytes), cpuMillicores: spec.cpuMillicores,
                        processes: spec.processes, oomGroup: true))
            }
        }
        sandbox.group.reserve(through: leaves.keys.max() ?? 0)
        for process in try RestoredPrograms.processes(of: sandbox) where process.host != sandbox.pid {
            guard let number = numbers[process.inner] else {
                throw SandboxError(.snapshot, "a process was restored that was in no leaf")
            }
            try step(.cgroupAttach) { () throws(SystemCallError) in
                try sandbox.group.leaf(number).attach(pid: process.host)
            }
        }
    }

    /// The processes of a sandbox, by the host's ids and by its own.
    static func processes(of sandbox: Sandbox) throws(SandboxError) -> [(host: pid_t, inner: Int32)] {
        var found = try members(sandbox.group.initLeaf, sandbox)
        for number in sandbox.group.leaves() { found += try members(sandbox.group.leaf(number), sandbox) }
        return found
    }

    private static func members(
        _ group: any Cgroup, _ sandbox: Sandbox
    ) throws(SandboxError) -> [(host: pid_t, inner: Int32)] {
        try step(.snapshot) { () throws(SystemCallError) in
            var found: [(pid_t, Int32)] = []
            for pid in try group.processes() {
                // CRIU is in the group too while it restores, and in no namespace below ours.
                guard let status = try? sandbox.processes.readString(pid, "status"),
                    let line = status.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") })
                else { continue }
                let numbers = line.dropFirst(6).split(whereSeparator: \.isWhitespace)
                guard numbers.count == 2, let inner = numbers.last.flatMap({ Int32($0) }) else { continue }
                found.append((pid, inner))
            }
            return found
        }
    }
}
