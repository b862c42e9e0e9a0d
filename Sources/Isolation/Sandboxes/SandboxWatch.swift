internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// Notices when the PID 1 of a persistent sandbox ends: one thread polls the pidfds of all.
final class SandboxWatch: Sendable {
    // The process and not the sandbox: this list must not keep the disk of a stopped sandbox mounted.
    private typealias Watched = (managed: ManagedSandbox, process: SharedProcess)

    private let wake: Wake
    private let list = Mutex<[Watched]>([])

    init() throws(SandboxError) {
        wake = try step(.supervise) { () throws(SystemCallError) in try Wake() }
    }

    /// Watches what runs in a sandbox from now on.
    func add(_ managed: ManagedSandbox, _ process: SharedProcess) {
        let isNew = list.withLock { list in
            guard !list.contains(where: { $0.process === process }) else { return false }
            list.append((managed, process))
            return true
        }
        if isNew { wake.signal() }
    }

    /// Calls `died` on a thread of its own for each PID 1 that ends, whoever ended it.
    func start(_ died: @escaping @Sendable (ManagedSandbox, SharedProcess) -> Void) {
        WorkerThread.start(name: "sandbox-watch") { [self] in
            while true { look(died) }
        }
    }

    private func look(_ died: @escaping @Sendable (ManagedSandbox, SharedProcess) -> Void) {
        let watched = list.withLock { $0 }
        var entries = watched.map { PollEntry(descriptor: $0.process.pollDescriptor, events: .input) }
        entries.append(PollEntry(descriptor: wake.pollDescriptor, events: .input))
        _ = try? Poll.wait(&entries, timeout: -1)
        wake.clear()
        for (index, (managed, process)) in watched.enumerated() where !entries[index].returned.isEmpty {
            list.withLock { $0.removeAll { $0.process === process } }
            WorkerThread.start(name: "sandbox-death") { died(managed, process) }
        }
    }
}
