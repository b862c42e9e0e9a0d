internal import LinuxKernel
internal import Logging

/// Brings the host to a known state at start.
///
/// What an earlier run leaves after SIGKILL are cgroups with processes in them: mounts, network namespaces and disks end
/// with the processes, uid leases ended with the isolator. Only groups of this instance are touched.
enum Reconciler {
    static func removeLeftovers(of cgroups: SandboxCgroups, log: Logger) throws(SandboxError) {
        for id in cgroups.existing() {
            try cgroups.removeLeftover(id)
            log.warning("removed a sandbox that an earlier run left", metadata: ["sandbox.id": "\(id)"])
        }
    }
}
