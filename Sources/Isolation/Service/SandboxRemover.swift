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
    /// How long removals wait for a quiet moment, in nanoseconds: while executions run the processors are theirs, as long as
    /// a burst lasts. Where it is busy for longer than that nothing is won by waiting, and each sandbox that is there makes
    /// others dearer to make and to remove: the kernel goes through all filesystems and processes there are.
    private static let burst: UInt64 = 3_000_000_000
    /// How long one waits that holds much memory, or a network, and all of them when a burst is over.
    private static let patience: UInt64 = 100_000_000
    /// What holds no more than that waits for long, in bytes; together they hold less than what stands ready may take.
    private static let lightBytes: UInt64 = 4 << 20
    /// How many may wait, in a burst and after it.
    private static let backlog = (burst: 448, after: 16)
    /// How often is looked whether the moment is quiet, in microseconds.
    private static let pause: UInt32 = 5_000

    private struct State {
        var jobs: [Job] = []
        /// When the last look found no quiet moment, and since when none has.
        var busyAt: UInt64 = 0
        var busySince: UInt64 = 0
    }

    private let state = Monitor(State())
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
        let patience = isLight(sandbox) ? SandboxRemover.burst : SandboxRemover.patience
        let job = Job(sandbox: sandbox, deadline: MonotonicClock.now + patience, done: done)
        state.update { $0.jobs.append(job) }
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
            switch state.wait(for: { $0.jobs.isEmpty ? nil : next(&$0) }) {
            case .remove(let job): remove(job)
            case .later, nil: usleep(SandboxRemover.pause)
            }
        }
    }

    /// The job that is to be done now, if there is one.
    private func next(_ state: inout State) -> Next {
        if isHurried.load(ordering: .relaxed) || queue.hasRoom { return .remove(state.jobs.removeFirst()) }
        let now = MonotonicClock.now
        // Without a job nobody looks.
        if now - state.busyAt > SandboxRemover.patience { state.busySince = now }
        state.busyAt = now
        let isBurst = now - state.busySince < SandboxRemover.burst
        if state.jobs.count > (isBurst ? SandboxRemover.backlog.burst : SandboxRemover.backlog.after) {
            return .remove(state.jobs.removeFirst())
        }
        guard let due = state.jobs.firstIndex(where: { now >= $0.deadline }) else { return .later }
        return .remove(state.jobs.remove(at: due))
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
