import Crypto
import Foundation
import LinuxKernel

/// One installation of SoulBox on this machine: its name, and where its parts stand.
///
/// Two can run side by side; the name, from the path of the home directory, is part of every resource's name.
struct Instance {
    /// The home directory: the operator's view, `.soulbox` of the checkout by default.
    let home: String

    /// Eight hexadecimal digits.
    let name: String

    /// The instance of that home directory, or of `SOULBOX_HOME`, or of `.soulbox` here.
    init(home given: String? = nil) {
        let path = given ?? ProcessInfo.processInfo.environment["SOULBOX_HOME"] ?? ".soulbox"
        home = URL(filePath: path).standardizedFileURL.path.trimmingSuffix("/")
        name = SHA256.hash(data: Data(home.utf8)).prefix(4).map { String(format: "%02x", $0) }.joined()
    }

    /// What outlives a reboot.
    var data: String { "/var/lib/soulbox/\(name)" }
    /// Sockets and state of the running stack.
    var run: String { "/run/soulbox/\(name)" }
    /// The binaries that the stack runs.
    var binaries: String { data + "/bin" }
    /// Logs of the processes.
    var logs: String { data + "/log" }
    /// The keys that sign tokens.
    var tokens: String { data + "/tokens" }
    /// The persistent sandboxes with their disks; only the isolation service may look.
    var sandboxes: String { data + "/sandboxes" }
    /// Built images, shared by all instances.
    var images: String { "/var/cache/soulbox/images" }
    /// The resolved configuration that processes read.
    var configurationFile: String { run + "/config.json" }
    /// What soulbox-egress reads of it.
    var egressConfigurationFile: String { run + "/egress.json" }
    /// What the supervisor says of its processes.
    var stateFile: String { run + "/state.json" }
    /// Locked by the supervisor as long as it lives; holds its pid.
    var lockFile: String { run + "/supervisor.lock" }

    /// Makes the directories and the links of the home directory.
    func prepare() throws {
        for directory in ["/var/lib/soulbox", "/run/soulbox", data, run, binaries, logs] {
            try Files.makeDirectory(directory, mode: 0o755)
        }
        try FileManager.default.createDirectory(atPath: home + "/bin", withIntermediateDirectories: true)
        for (link, target) in [("run", run), ("data", data), ("bin/soulbox", binaries + "/soulbox")] {
            let path = "\(home)/\(link)"
            if (try? Files.readLink(path)) == target { continue }
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        }
    }
}

extension String {
    /// The text without that ending, unless it is nothing else.
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        count > suffix.count && hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
