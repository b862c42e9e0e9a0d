internal import CLinux
internal import Glibc

/// A process by its pidfd (pidfd_open(2)), which never comes to mean another one.
public struct ProcessDescriptor: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Takes over a pidfd.
    public init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Opens the pidfd of a process that exists now.
    public init(opening pid: Int32) throws(SystemCallError) {
        descriptor = Descriptor(owning: try check("pidfd_open") { soulbox_pidfd_open(pid, 0) })
    }

    /// The pidfd; readable once the process has ended.
    public var rawValue: CInt { descriptor.rawValue }

    /// Sends a signal (pidfd_send_signal(2)).
    public func signal(_ number: CInt) throws(SystemCallError) {
        try check("pidfd_send_signal") { soulbox_pidfd_send_signal(descriptor.rawValue, number) }
    }

    /// Waits until the process, a child of this one, has ended, and collects its status (waitid(2), P_PIDFD).
    public func waitForExit() throws(SystemCallError) -> ExitStatus {
        var code: CInt = 0
        var status: CInt = 0
        try check("waitid") { soulbox_wait_pidfd(descriptor.rawValue, &code, &status) }
        return code == CLD_EXITED ? .exited(status) : .signaled(status)
    }

    /// Whether the process has ended, collected or not.
    public var hasExited: Bool {
        var entries = [PollEntry(descriptor: descriptor.rawValue, events: .input)]
        return (try? Poll.wait(&entries, timeout: 0)) == 1
    }
}
