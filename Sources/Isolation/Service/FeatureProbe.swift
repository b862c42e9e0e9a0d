internal import Glibc
internal import LinuxKernel

/// What the kernel must offer, tried for real at start.
///
/// A missing feature is a refusal that says what is missing, never a weaker sandbox.
enum FeatureProbe {
    /// What was found.
    struct Outcome {
        let cgroups: CgroupHost
        let features: [String]
    }

    /// A host that cannot isolate.
    struct Missing: Error, CustomStringConvertible {
        let features: [String]
        var description: String { "this host cannot isolate: " + features.joined(separator: "; ") }
    }

    static func run() throws -> Outcome {
        var missing: [String] = []
        if geteuid() != 0 { throw Missing(features: ["the isolator must run as root"]) }
        // Before anything is read there: all that follows believes what /proc says.
        guard ProcessFilesystem.lies(at: "/proc") else {
            throw Missing(features: ["/proc is not the kernel's procfs"])
        }
        let cgroups: CgroupHost
        do {
            cgroups = try CgroupHost.probe()
        } catch {
            throw Missing(features: ["\(error)"])
        }
        missing += KernelCalls.missing.map { "\($0)(2), Linux 5.14" }
        func need(_ feature: String, _ body: () throws -> Void) {
            do {
                try body()
            } catch {
                missing.append("\(feature) (\(error))")
            }
        }
        need("user namespaces") { try Files.requirePositive("/proc/sys/user/max_user_namespaces") }
        need("overlayfs") {
            guard try Files.readString("/proc/filesystems").contains("overlay") else {
                throw SystemCallError(call: "overlay", errno: ENODEV)
            }
        }
        // For the disks of persistent sandboxes.
        need("loop devices") { _ = try Files.open("/dev/loop-control", .readWrite) }
        need("mke2fs, of the package e2fsprogs") {
            guard ExtendedFilesystem.isAvailable else { throw SystemCallError(call: "mke2fs", errno: ENOENT) }
        }
        need("seccomp filters") { _ = try Files.readString("/proc/sys/kernel/seccomp/actions_avail") }
        guard missing.isEmpty else { throw Missing(features: missing) }
        return Outcome(
            cgroups: cgroups,
            features: ["clone3", "openat2", "overlayfs", "seccomp", "user namespaces", cgroups.description])
    }
}
