internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// Formatted disks of the usual size that stand ready for persistent sandboxes: making one takes longer than all else that a
/// sandbox needs.
///
/// They are files of a directory that is no sandbox's, which the next start of the service removes with whatever else is
/// none: a disk becomes a sandbox's by a rename.
final class ReadyDisks: Sendable {
    private struct State {
        var ready: [String] = []
        var count = 0
        var demand = PoolDemand()
        var isClosed = false
    }

    /// The size of those that stand ready, in bytes: the API's default.
    static let size: Int64 = 1 << 30
    /// How many there are at least and at most. Each takes less than a megabyte of the host's disk.
    private static let bounds = 64...maximum
    static let maximum = 128
    /// How often is looked what there is to do, in microseconds.
    private static let pause: UInt32 = 20_000
    private static let pauseAfterFailure: UInt32 = 30_000_000

    private let directory: String
    private let queue: ExecutionQueue
    private let log: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: Where they are, on the filesystem of the sandboxes.
    ///   - queue: The executions that run, which come first.
    init(directory: String, queue: ExecutionQueue, log: Logger) {
        self.directory = directory
        self.queue = queue
        self.log = log
    }

    /// Begins to make them, on a thread of its own.
    func start() throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in try Files.makeDirectory(directory, mode: 0o700) }
        WorkerThread.start(name: "disks") { [self] in fill() }
    }

    /// Moves one of that size to a path; false when there is none.
    func take(bytes: Int64, to path: String) -> Bool {
        guard bytes == ReadyDisks.size else { return false }
        let disk = state.withLock { state in
            state.demand.note(at: MonotonicClock.now)
            return state.ready.popLast()
        }
        guard let disk else { return false }
        let here = Files.workingDirectory
        return (try? Files.rename(disk, at: here, to: path, at: here, keepingTarget: true)) != nil
    }

    /// One under that name in the same directory, for a sandbox that is to stand ready: its path.
    func make(_ name: String) throws(SandboxError) -> String {
        let path = "\(directory)/\(name).ext4"
        if !take(bytes: ReadyDisks.size, to: path) { try SandboxDirectory.format(path, bytes: ReadyDisks.size) }
        return path
    }

    private func fill() {
        while true {
            let now = MonotonicClock.now
            let (isClosed, number) = state.withLock { state -> (Bool, Int?) in
                let wanted = max(
                    ReadyDisks.bounds.lowerBound, min(ReadyDisks.bounds.upperBound, state.demand.target(at: now)))
                guard !state.isClosed, state.ready.count < wanted else { return (state.isClosed, nil) }
                state.count += 1
                return (false, state.count)
            }
            if isClosed { return }
            // While executions run the processors are theirs; who finds none makes one.
            guard let number, queue.isQuiet else {
                usleep(ReadyDisks.pause)
                continue
            }
            let path = "\(directory)/\(number).ext4"
            do throws(SandboxError) {
                try SandboxDirectory.format(path, bytes: ReadyDisks.size)
                state.withLock { $0.ready.append(path) }
            } catch {
                log.warning("a disk could not be made ready", metadata: ["error": "\(error)"])
                try? Files.removeTree(path)
                usleep(ReadyDisks.pauseAfterFailure)
            }
        }
    }

    /// Makes no more.
    func close() { state.withLock { $0.isClosed = true } }
}
