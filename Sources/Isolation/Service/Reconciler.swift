internal import LinuxKernel
internal import Logging

/// Brings the host to a known state at start.
///
/// What an earlier run leaves after SIGKILL are cgroups with processes in them: mounts, network namespaces and disks end
/// with the processes. Persistent sandboxes that run on are left to `SandboxAdoption`. Only groups of this instance are touched.
enum Reconciler {
    static func removeLeftovers(
        of cgroups: SandboxCgroups, except kept: Set<String>, log: Logger
    ) throws(SandboxError) {
        let left = cgroups.existing().filter { !kept.contains($0) }
        // All at once: hundreds may have stood ready, and the end of each takes the kernel a while.
        for id in left { cgroups.killLeftover(id) }
        for id in left {
            try cgroups.removeLeftover(id)
            log.debug("removed a sandbox that an earlier run left", metadata: ["sandbox.id": "\(id)"])
        }
        if !left.isEmpty {
            log.warning("removed sandboxes that an earlier run left", metadata: ["count": "\(left.count)"])
        }
        try cgroups.removeZygotes()
    }
}
