internal import CLinux
internal import Glibc

/// Kinds of namespaces (namespaces(7)).
public struct NamespaceKinds: OptionSet, Sendable {
    /// The CLONE_NEW… bits of clone(2).
    public let rawValue: UInt64

    /// Kinds with these bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Mounts (CLONE_NEWNS).
    public static let mount = NamespaceKinds(rawValue: 0x0002_0000)
    /// Control groups.
    public static let cgroup = NamespaceKinds(rawValue: 0x0200_0000)
    /// Host and domain name.
    public static let uts = NamespaceKinds(rawValue: 0x0400_0000)
    /// System V IPC and POSIX message queues.
    public static let ipc = NamespaceKinds(rawValue: 0x0800_0000)
    /// Users and groups.
    public static let user = NamespaceKinds(rawValue: 0x1000_0000)
    /// Process ids.
    public static let pid = NamespaceKinds(rawValue: 0x2000_0000)
    /// Network devices, addresses, rules.
    public static let network = NamespaceKinds(rawValue: 0x4000_0000)
}

/// The calling thread's namespaces.
public enum Namespaces {
    /// Gives the calling thread namespaces of its own (unshare(2)). With `mount`, its working directory, root and umask
    /// become its own too.
    public static func unshare(_ kinds: NamespaceKinds) throws(SystemCallError) {
        try check("unshare") { soulbox_unshare(kinds.rawValue) }
    }

    /// Runs `body` in another network namespace (setns(2)), on a thread of its own that ends with it.
    public static func inNetwork<Value: Sendable>(
        _ namespace: SharedDescriptor, _ body: @escaping @Sendable () throws(SystemCallError) -> Value
    ) throws(SystemCallError) -> Value {
        let outcome = Monitor<Result<Value, SystemCallError>?>(nil)
        WorkerThread.start(name: "network") {
            let result = Result { () throws(SystemCallError) in
                try check("setns") { soulbox_setns(namespace.rawValue, CInt(NamespaceKinds.network.rawValue)) }
                return try body()
            }
            outcome.update { $0 = result }
        }
        guard let result = outcome.wait(for: { $0 }) else { throw SystemCallError(call: "setns", errno: ECANCELED) }
        return try result.get()
    }
}
