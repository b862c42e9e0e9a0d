internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import Synchronization

/// Removes used sandboxes on threads of its own, so that no caller waits for it.
final class SandboxRemover: Sendable {
    private struct Job: Sendable {
        let sandbox: Sandbox
        /// When it is removed whatever else goes on.
        let deadline: UInt64
        let done: @Sendable () -> Void
    }

    /// What to do next.
    private enum Next {
        case remove(Job)
        case later
    }

    /// How long a sandbox that could not be removed is left alone, in seconds.
    private static let retrySeconds: UInt32 = 30
    /// How long a removal waits for a quiet moment, in nanoseconds: while executions run the processors are theirs. One that
    /// holds much memory, or a network, waits for a moment only.
    private static let patience: (light: UInt64, heavy: UInt64) = (3_000_000_000, 100_000_000)
    /// What a light one holds at most, in bytes, and how many may wait; together less than what stands ready may take.
    private static let lightBytes: UInt64 = 4 << 20
    private static let backlog = 192
    /// How often is looked whether the moment is quiet, in microseconds.
    private static let pause: UInt32 = 5_000

    private let jobs = Monitor<[Job]>([])
    private let isHurried = Atomic(false)
    private let stuck = Monitor<[Sandbox]>([])
    private let queue: ExecutionQueue
    private let log: Logger

    /// - Parameter queue: The executions that run, which come first.
    init(queue: ExecutionQueue, log: Logger) {
        self.queue = queue
        self.log = log
        for number in 0..<2 {
            WorkerThread.start(name: "remover-\(number)") { [self] in serve() }
        }
        // Apart from the others: ten seconds for each that is stuck would hold up all that are not.
        WorkerThread.start(name: "remover-stuck") { [self] in retry() }
    }

    /// Removes a sandbox soon, then calls `done`.
    func remove(_ sandbox: Sandbox, done: @escaping @Sendable () -> Void) {
        let patience =
            isLight(sandbox) ? SandboxRemover.patience.light : SandboxRemover.patience.heavy
        let job = Job(sandbox: sandbox, deadline: MonotonicClock.now + patience, done: done)
        jobs.update { $0.append(job) }
    }

    private func isLight(_ sandbox: Sandbox) -> Bool {
        guard !sandbox.spec.network.enabled, let bytes = try? sandbox.group.group.memoryInUse() else { return false }
        return bytes <= SandboxRemover.lightBytes
    }

    /// Removes many at once from now on, waiting for no quiet moment: the service ends. A removal mostly waits for the kernel.
    func hurry() {
        isHurried.store(true, ordering: .relaxed)
        for number in 2..<16 {
            WorkerThread.start(name: "remover-\(number)") { [self] in serve() }
        }
    }

    private func serve() -> Never {
        while true {
            switch jobs.wait(for: { $0.isEmpty ? nil : next(&$0) }) {
            case .remove(let job): remove(job)
            case .later, nil: usleep(SandboxRemover.pause)
            }
        }
    }

    /// The job that is to be done now, if there is one.
    private func next(_ jobs: inout [Job]) -> Next {
        if isHurried.load(ordering: .relaxed) || jobs.count > SandboxRemover.backlog || queue.hasRoom {
            return .remove(jobs.removeFirst())
        }
        let now = MonotonicClock.now
        guard let due = jobs.firstIndex(where: { now >= $0.deadline }) else { return .later }
        return .remove(jobs.remove(at: due))
    }

    private func remove(_ job: Job) {
        if !job.sandbox.remove() {
            log.critical("a sandbox could not be removed; its ids stay out of use", metadata: about(job.sandbox))
            stuck.update { $0.append(job.sandbox) }
        }
        job.done()
    }

    /// A disk or a network filesystem may let go of a process after minutes.
    private func retry() -> Never {
        while true {
            let sandbox = stuck.wait(for: { $0.isEmpty ? nil : $0.removeFirst() })
            guard let sandbox else { continue }
            if sandbox.remove() {
                log.notice("a sandbox that was stuck is gone", metadata: about(sandbox))
            } else {
                stuck.update { $0.append(sandbox) }
                sleep(SandboxRemover.retrySeconds)
            }
        }
    }

    private func about(_ sandbox: Sandbox) -> Logger.Metadata {
        ["sandbox.id": "\(sandbox.spec.id)", "slot": "\(sandbox.slot.index)"]
    }
}
