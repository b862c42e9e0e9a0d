internal import CLinux
internal import Glibc

/// A procfs of our own (proc(5)), attached nowhere, so that nothing can be mounted over what is read and written there.
///
/// What lies at `/proc` is a matter of whoever set up the host: a service that wrote a user map or read a posture from
/// something else would be sure of things that are not so.
public final class ProcessFilesystem: Sendable {
    private let root: SharedDescriptor

    /// Mounts it. Needs CAP_SYS_ADMIN.
    public init() throws(SystemCallError) {
        root = SharedDescriptor(
            try Mount.make(type: "proc", options: [], attributes: [.noSUID, .noDevices, .noExecute]))
        guard soulbox_is_procfs(root.rawValue) == 1 else { throw SystemCallError(call: "fstatfs", errno: EXDEV) }
    }

    /// Whether a path leads to a procfs (fstatfs(2), PROC_SUPER_MAGIC).
    public static func lies(at path: String) -> Bool {
        guard let directory = try? Files.open(path, [.path, .directory]) else { return false }
        return soulbox_is_procfs(directory.rawValue) == 1
    }

    /// Opens a process's file, or what one of its links leads to.
    public func open(_ pid: Int32, _ name: String, _ flags: OpenFlags) throws(SystemCallError) -> Descriptor {
        try Files.open("\(pid)/\(name)", flags, at: root.rawValue)
    }

    /// The text of a process's file, as a string.
    public func readString(_ pid: Int32, _ name: String) throws(SystemCallError) -> String {
        try readText(pid, name).string
    }

    /// The text of a process's file.
    public func readText(_ pid: Int32, _ name: String) throws(SystemCallError) -> KernelText {
        let file = try Files.open("\(pid)/\(name)", .readOnly, resolve: [.beneath, .noSymlinks], at: root.rawValue)
        return KernelText(try Files.readToEnd(of: file.rawValue, maximum: 1 << 20))
    }

    /// Writes a process's file, in one call.
    public func write(_ pid: Int32, _ name: String, _ text: String) throws(SystemCallError) {
        let file = try Files.open("\(pid)/\(name)", .writeOnly, resolve: [.beneath, .noSymlinks], at: root.rawValue)
        try Files.write(to: file.rawValue, Array(text.utf8))
    }

    /// What one of a process's links says.
    public func readLink(_ pid: Int32, _ name: String) throws(SystemCallError) -> String {
        try Files.readLink("\(pid)/\(name)", at: root.rawValue)
    }

    /// The names in one of a process's directories.
    public func list(_ pid: Int32, _ name: String) throws(SystemCallError) -> [String] {
        let directory = try open(pid, name, [.readOnly, .directory])
        return try Files.list(descriptor: directory.rawValue)
    }
}

extension ProcessFilesystem {
    /// When a process started, in clock ticks since the kernel did (proc_pid_stat(5), starttime).
    public func birth(of pid: Int32) throws(SystemCallError) -> UInt64 {
        // The name, in parentheses, may hold anything: count from the last one.
        guard let rest = try readText(pid, "stat").rest(afterLast: ")") else {
            throw SystemCallError(call: "read", errno: EPROTO)
        }
        for (index, field) in rest.words.enumerated() where index == 19 {
            guard field.isNumber else { break }
            return field.number
        }
        throw SystemCallError(call: "read", errno: EPROTO)
    }
}
