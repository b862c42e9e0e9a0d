import Foundation
import Glibc
import LinuxKernel

/// Puts the binaries where every user of the service can reach them: a checkout below /root is unreachable for most.
enum BinaryInstallation {
    private static let names = [
        "soulbox", "soulbox-worker", "soulbox-gateway", "soulbox-scheduler", "soulbox-isolator",
        "soulbox-egress", "soulbox-init", "libsoulbox-zygote.so",
    ]

    /// Copies the binaries beside this one to the instance, those that differ.
    static func run(_ instance: Instance) throws {
        let own = try Files.readLink("/proc/self/exe")
        let source = URL(filePath: own).deletingLastPathComponent().path
        guard source != instance.binaries else { return }
        for name in names {
            let from = "\(source)/\(name)"
            let to = "\(instance.binaries)/\(name)"
            let status: FileStatus
            do {
                status = try Files.status(from)
            } catch {
                throw OperatorError("\(from) is missing", advice: "Build all products: make build")
            }
            if let old = try? Files.status(to), old.size == status.size, old.modified == status.modified { continue }
            let temporary = to + ".new"
            try? FileManager.default.removeItem(atPath: temporary)
            try FileManager.default.copyItem(atPath: from, toPath: temporary)
            var times = [
                timespec(tv_sec: Int(status.modified.seconds), tv_nsec: Int(status.modified.nanoseconds)),
                timespec(tv_sec: Int(status.modified.seconds), tv_nsec: Int(status.modified.nanoseconds)),
            ]
            utimensat(Files.workingDirectory, temporary, &times, 0)
            chmod(temporary, 0o755)
            // By rename: the file of a running process must not be written to.
            guard rename(temporary, to) == 0 else { throw SystemCallError(call: "rename", errno: errno) }
        }
    }
}
