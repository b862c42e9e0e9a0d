internal import Glibc
internal import LinuxKernel
internal import Logging
internal import Synchronization

/// Removes used sandboxes on threads of its own, so that no caller waits for it.
final class SandboxRemover: Sendable {
    private struct Job: Sendable {
        let sandbox: Sandbox
        let done: @Sendable () -> Void
    }

    /// How long a sandbox that could not be removed is left alone, in seconds.
    private static let retrySeconds: UInt32 = 30

    private let jobs = Monitor<[Job]>([])
    /// How long an ordinary removal waits for a quiet moment, in nanoseconds, and how many may wait.
    private static let patience: UInt64 = 100_000_000
    private static let backlog = 16

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
        jobs.update { $0.append(Job(sandbox: sandbox, done: done)) }
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
            let job = jobs.wait(for: { $0.isEmpty ? nil : $0.removeFirst() })
            guard let job else { continue }
            awaitQuiet()
            if !job.sandbox.remove() {
                log.critical(
                    "a sandbox could not be removed; its ids stay out of use", metadata: about(job.sandbox))
                stuck.update { $0.append(job.sandbox) }
            }
            job.done()
        }
    }

    private func awaitQuiet() {
        let deadline = MonotonicClock.now + SandboxRemover.patience
        while !isHurried.load(ordering: .relaxed), !queue.isQuiet, MonotonicClock.now < deadline,
            jobs.read({ $0.count }) < SandboxRemover.backlog
        { usleep(2000) }
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
