internal import Glibc
internal import LinuxKernel

extension PostureCheck {
    /// Checks a process that CRIU has restored, before it goes on: every thread without capabilities and behind both filters,
    /// in the sandbox's namespaces, with no way to a directory of the host.
    static func verify(restored pid: pid_t, in sandbox: Sandbox) throws(SandboxError) {
        let processes = sandbox.processes
        let threads = try step(.posture) { () throws(SystemCallError) in try processes.list(pid, "task") }
        for thread in threads {
            let status = try step(.posture) { () throws(SystemCallError) in
                try processes.readText(pid, "task/\(thread)/status")
            }
            try verifyStatus(status, hostProgram: sandbox.slot.hostProgram, threads: nil)
        }
        for name in namespaces {
            let (own, first) = try step(.posture) { () throws(SystemCallError) in
                (try processes.readLink(pid, "ns/\(name)"), try processes.readLink(sandbox.pid, "ns/\(name)"))
            }
            guard own == first else {
                throw SandboxError(.posture, "a restored process is outside the sandbox's \(name) namespace")
            }
        }
        try step(.posture) { () throws(SystemCallError) in
            // Its root is the sandbox's: a path of its own names nothing of the host.
            let own = try processes.open(pid, "root", [.path, .directory])
            let first = try processes.open(sandbox.pid, "root", [.path, .directory])
            guard try Files.status(of: own.rawValue).inode == Files.status(of: first.rawValue).inode else {
                throw SystemCallError(call: "root", errno: EXDEV)
            }
        }
    }
}
