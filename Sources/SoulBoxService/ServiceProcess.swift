internal import Glibc
internal import LinuxKernel
public import Logging

/// What the start of every process has in common.
public enum ServiceProcess {
    /// The value of `--name VALUE` or `--name=VALUE` on the command line.
    public static func option(_ name: String) -> String? {
        let arguments = CommandLine.arguments.dropFirst()
        for (index, argument) in zip(arguments.indices, arguments) {
            if argument == "--" + name { return arguments.indices.contains(index + 1) ? arguments[index + 1] : nil }
            if argument.hasPrefix("--\(name)=") { return String(argument.dropFirst(name.count + 3)) }
        }
        return nil
    }

    /// Reads the configuration that `--config` names, blocks signals, and sets logging up.
    ///
    /// Ends the process with status 64 (sysexits(3), EX_USAGE) or 78 (EX_CONFIG) when that cannot be done.
    public static func start(label: String) -> (configuration: ServiceConfiguration, log: Logger) {
        // Before the first thread: threads inherit the mask, and signals are awaited in one place.
        Signals.blockAll()
        // systemd and shells begin with 1024, which a few hundred connections or sandboxes use up.
        DescriptorLimit.raise()
        LoggingSystem.bootstrap { JSONLogHandler(label: $0) }
        let log = Logger(label: label)
        // Swift reads its own arguments there: without it they would seem to be missing.
        guard ProcessFilesystem.lies(at: "/proc") else {
            log.critical("/proc is not the kernel's procfs; mount -t proc proc /proc")
            exit(78)
        }
        guard let path = option("config") else {
            log.critical("--config PATH is required")
            exit(64)
        }
        do {
            return (try ServiceConfiguration(path: path), log)
        } catch {
            log.critical("the configuration cannot be read", metadata: ["path": "\(path)", "error": "\(error)"])
            exit(78)
        }
    }

    /// Waits for SIGTERM or SIGINT, and tells which came.
    @discardableResult
    public static func waitForTermination() -> CInt { Signals.wait(for: [SIGTERM, SIGINT]) }
}
