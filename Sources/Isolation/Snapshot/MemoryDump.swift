internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// Writes the processes of a running sandbox, by CRIU.
struct MemoryDump {
    /// How long connections to PID 1 may take to end, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    let run: CriuRun
    private let tools: SnapshotTools

    init(name: String, in store: SnapshotStore, tools: SnapshotTools) throws(SystemCallError) {
        self.tools = tools
        run = try CriuRun(name: name, in: store.path + "/" + SnapshotStore.work, tools: tools)
    }

    /// Writes them into `run.images`.
    ///
    /// - Parameters:
    ///   - keepsRunning: Whether they go on afterwards; otherwise they end.
    ///   - whileFrozen: Is called when all is written and nobody goes on; what it throws lets them all go on.
    func take(
        _ sandbox: Sandbox, keepsRunning: Bool, whileFrozen: (SnapshotManifest.Memory) throws -> Void
    ) throws -> (memory: SnapshotManifest.Memory, pauseMicroseconds: Int64) {
        guard sandbox.door.shut(until: MonotonicClock.now + MemoryDump.patience) else {
            throw IsolationError(.conflict, "an execution runs in the sandbox, or a file is being sent to it")
        }
        defer { sandbox.door.open() }
        try allowInspection(true, of: sandbox)
        defer { if !sandbox.process.hasExited { try? allowInspection(false, of: sandbox) } }
        var memory = SnapshotManifest.Memory(
            criu: tools.criu, kernel: SnapshotTools.kernel, processor: SnapshotTools.processor,
            leaves: try RestoredPrograms(of: sandbox).leaves)
        let begin = MonotonicClock.now
        try run.run(
            [
                "dump", "--tree", "\(sandbox.pid)", "--manage-cgroups=ignore", "--empty-ns", "net", "--external",
                "mnt[/dev]:dev", "--tcp-close", "--skip-in-flight", "--file-locks", "--ghost-limit", "256M",
                "--link-remap", "--timeout", "30",
                // Where what inotify watches is looked for, if its handle does not open.
                "--irmap-scan-path", "/workspace", "--irmap-scan-path", "/tmp",
            ] + (keepsRunning ? ["--leave-running"] : [])
        ) { stage, _ in
            guard stage == .dumped else { return }
            // Pages that several share after a fork are written for each; what the group counts has the page cache's part in it.
            memory.bytes = min(try run.pageBytes(), Int64(clamping: try sandbox.group.group.memoryInUse()))
            try whileFrozen(memory)
        }
        // By CRIU itself, which needs some time before it stops anybody.
        return (memory, run.pauseMicroseconds ?? Int64((MonotonicClock.now - begin) / 1000))
    }

    /// Lets CRIU look into PID 1, or nobody, and waits until PID 1 has no connection left.
    private func allowInspection(_ allows: Bool, of sandbox: Sandbox) throws {
        do {
            let connection = try sandbox.connect(through: sandbox.door.passInside())
            guard case .done(0) = try connection.ask(InitMessage.inspect(allows: allows)) else {
                throw IsolationError(
                    .notPossible, "the sandbox was made by an earlier version: stop and start it first")
            }
        }
        let deadline = MonotonicClock.now + MemoryDump.patience
        while MonotonicClock.now < deadline {
            let names = try sandbox.processes.list(sandbox.pid, "fd")
            let sockets = names.count { name in
                (try? sandbox.processes.readLink(sandbox.pid, "fd/\(name)"))?.hasPrefix("socket:") == true
            }
            // The one that it listens on.
            if sockets <= 1 { return }
            usleep(500)
        }
    }
}
