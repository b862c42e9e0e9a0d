internal import Glibc
internal import LinuxKernel

/// Compares what the kernel says of a process with what was asked for, from outside, before any code of a user runs.
///
/// The steps that build a sandbox report their own failures; this finds the ones that succeeded and did not take.
enum PostureCheck {
    static let namespaces = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]
    private static let requiredMounts: [StaticString] = [
        "/", "/dev", "/dev/pts", "/dev/shm", "/proc", "/run", "/proc/sys",
    ]

    /// Checks PID 1: its namespaces, its id map, its mounts.
    static func verify(_ sandbox: Sandbox) throws(SandboxError) {
        let reader = Reader(processes: sandbox.processes, pid: sandbox.pid)
        let own = Reader(processes: sandbox.processes, pid: getpid())
        for name in namespaces {
            guard try reader.link("ns/\(name)") != (try own.link("ns/\(name)")) else {
                throw SandboxError(.posture, "PID 1 shares the host's \(name) namespace")
            }
        }
        let map = try reader.text("uid_map").lines.map { $0.words.map(\.string) }
        guard map == [["0", String(sandbox.slot.base), String(UserSlot.size)]] else {
            throw SandboxError(.posture, "the user map is not the slot's")
        }
        try verifyMounts(try reader.text("mountinfo"))
    }

    /// Checks a program's process, which stands before its exec.
    static func verify(
        program pid: pid_t, in sandbox: Sandbox, leaf: any Cgroup, hasHandover: Bool = false
    ) throws(SandboxError) {
        let reader = Reader(processes: sandbox.processes, pid: pid)
        let first = Reader(processes: sandbox.processes, pid: sandbox.pid)
        try verifyStatus(try reader.text("status"), hostProgram: sandbox.slot.hostProgram)
        for name in namespaces {
            guard try reader.link("ns/\(name)") == (try first.link("ns/\(name)")) else {
                throw SandboxError(.posture, "the program is outside the sandbox's \(name) namespace")
            }
        }
        try verifyDescriptors(of: reader, hasHandover: hasHandover)
        guard (try? leaf.contains(pid: pid)) == true else {
            throw SandboxError(.posture, "the program is outside its cgroup")
        }
    }

    /// Checks whether a number is that of a process of the sandbox, before anything is done to it.
    static func verify(identityOf pid: pid_t, in sandbox: Sandbox) throws(SandboxError) {
        let name = "ns/pid"
        let reader = Reader(processes: sandbox.processes, pid: pid)
        guard try reader.link(name) == Reader(processes: sandbox.processes, pid: sandbox.pid).link(name) else {
            throw SandboxError(.posture, "the process is no process of the sandbox")
        }
    }

    /// Checks the streams that a process is given which stood before its exec with others.
    static func verify(streams: [CInt], _ processes: ProcessFilesystem) throws(SandboxError) {
        let own = Reader(processes: processes, pid: getpid())
        for (number, descriptor) in streams.enumerated() {
            let target = try own.link("fd/\(descriptor)")
            guard isStream(target, mayBeTerminal: true) else {
                throw SandboxError(.posture, "descriptor \(number) is \(target)")
            }
        }
    }

    /// Checks what `/proc/<pid>/status` says: no capability in any set, both filters, the program's ids alone.
    ///
    /// - Parameter threads: How many it may have; nil for any number.
    static func verifyStatus(_ text: KernelText, hostProgram: UInt32, threads: Int? = 1) throws(SandboxError) {
        func expect(_ name: StaticString, _ wanted: String, times: Int = 1) throws(SandboxError) {
            guard let found = text.line(after: name) else { throw SandboxError(.posture, "\(name) is not told") }
            let words = Array(found.words)
            guard words.count == times, words.allSatisfy({ $0.equals(wanted) }) else {
                let told = words.map(\.string).joined(separator: " ")
                throw SandboxError(.posture, "\(name) \(told), and not \(wanted)")
            }
        }
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] as [StaticString] {
            try expect(set, "0000000000000000")
        }
        try expect("NoNewPrivs:", "1")
        try expect("Seccomp:", "2")
        // Kernels before 5.9 do not tell; those that do must see both filters.
        if text.line(after: "Seccomp_filters:") != nil { try expect("Seccomp_filters:", "2") }
        let user = String(hostProgram)
        try expect("Uid:", user, times: 4)
        try expect("Gid:", user, times: 4)
        try expect("Groups:", "", times: 0)
        if let threads { try expect("Threads:", String(threads)) }
    }

    /// Every mount nosuid; nodev except where the host's own devices are; nothing of the host's tree.
    static func verifyMounts(_ mountinfo: KernelText) throws(SandboxError) {
        var found = requiredMounts.map { _ in false }
        for line in mountinfo.lines {
            // proc(5): id parent major:minor root mount-point options … - type source super-options
            var fields = line.words.dropFirst(4).makeIterator()
            guard let point = fields.next(), let options = fields.next(), fields.next() != nil else {
                throw SandboxError(.posture, "unreadable mountinfo")
            }
            for (index, name) in requiredMounts.enumerated() where point.equals(name) { found[index] = true }
            func has(_ option: StaticString) -> Bool { options.parts(at: ",").contains { $0.equals(option) } }
            let isMaskedFile = point.begins(with: "/proc/")
            guard has("nosuid") || isMaskedFile else {
                throw SandboxError(.posture, "\(point.string) is mounted without nosuid")
            }
            guard has("nodev") || isMaskedFile || point.equals("/dev") || point.equals("/dev/pts") else {
                throw SandboxError(.posture, "\(point.string) is mounted without nodev")
            }
            guard !point.equals("/proc/sys") || has("ro") else {
                throw SandboxError(.posture, "/proc/sys is writable")
            }
            guard !point.begins(with: "/sys") else { throw SandboxError(.posture, "\(point.string) is mounted") }
        }
        let missing = zip(requiredMounts, found).filter { !$0.1 }.map { "\($0.0)" }
        guard missing.isEmpty else { throw SandboxError(.posture, "not mounted: " + missing.joined(separator: " ")) }
    }

    /// Descriptors 0 to 2, the connection that exec closes, and perhaps the two of a handover; never a directory.
    private static func verifyDescriptors(of process: Reader, hasHandover: Bool) throws(SandboxError) {
        let names = try process.list("fd")
        guard Set(names) == Set(["0", "1", "2", "3"] + (hasHandover ? ["4", "5"] : [])) else {
            throw SandboxError(.posture, "unexpected descriptors: " + names.sorted().joined(separator: " "))
        }
        for name in names.sorted() {
            let target = try process.link("fd/\(name)")
            let isExpected: Bool =
                switch name {
                case "0", "1", "2": isStream(target, mayBeTerminal: !hasHandover)
                case "3": target.hasPrefix("socket:")
                default: target.hasPrefix("pipe:")
                }
            guard isExpected else { throw SandboxError(.posture, "descriptor \(name) is \(target)") }
        }
    }

    /// Whether that is what a program's stream may be; a terminal is one of the sandbox's own, which has no other devpts.
    private static func isStream(_ target: String, mayBeTerminal: Bool) -> Bool {
        target == "/dev/null" || target.hasPrefix("pipe:") || target.hasPrefix("/memfd:")
            || mayBeTerminal && target.hasPrefix("/dev/pts/")
    }

    /// What the kernel says of one process.
    private struct Reader {
        let processes: ProcessFilesystem
        let pid: pid_t

        func link(_ name: String) throws(SandboxError) -> String {
            try step(.posture) { () throws(SystemCallError) in try processes.readLink(pid, name) }
        }

        func text(_ name: String) throws(SandboxError) -> KernelText {
            try step(.posture) { () throws(SystemCallError) in try processes.readText(pid, name) }
        }

        func list(_ name: String) throws(SandboxError) -> [String] {
            try step(.posture) { () throws(SystemCallError) in try processes.list(pid, name) }
        }
    }
}
