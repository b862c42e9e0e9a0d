internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import Synchronization

/// Removes used sandboxes on threads of its own, so that no caller waits for it.
final class SandboxRemover: Sendable {
    private struct Job: Sendable {
        let sandbox: Sandbox
        /// What it holds, in bytes; nil when it is not to wait for long.
        let bytes: UInt64?
        /// When it is removed whatever else goes on.
        let deadline: UInt64
        let done: @Sendable () -> Void
    }

    private struct State {
        var jobs: [Job] = []
        /// What those hold together that may wait for long, in bytes.
        var bytes: UInt64 = 0
        /// When was last looked what is to be done, or something was; and since when no look found a quiet moment.
        var seenAt: UInt64 = 0
        var busySince: UInt64?
        /// How many may wait now.
        var most = SandboxRemover.backlog.burst

        mutating func take(at index: Int) -> Job {
            let job = jobs.remove(at: index)
            bytes -= job.bytes ?? 0
            return job
        }
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
    /// How long one waits that holds much memory, or a network.
    private static let patience: UInt64 = 100_000_000
    /// What waits for long holds no more than that, in bytes, and what the kernel needs for it besides.
    private static let lightBytes: UInt64 = 4 << 20
    private static let kernelBytes: UInt64 = 1 << 20
    /// How many may wait, in a burst and after it.
    private static let backlog = (burst: 448, after: 16)
    /// With fewer user ids left than that nothing waits.
    private static let leastSlots = 192
    /// How often is looked whether the moment is quiet, in microseconds.
    private static let pause: UInt32 = 5_000

    private let state = Monitor(State())
    private let isHurried = Atomic(false)
    private let stuck = Monitor<[Sandbox]>([])
    private let queue: ExecutionQueue
    private let slots: UserSlots
    private let misses: PoolMisses
    private let memoryBytes: UInt64
    private let log: Logger

    /// - Parameters:
    ///   - queue: The executions that run, which come first.
    ///   - slots: The user ids that sandboxes need.
    ///   - misses: Who found no ready sandbox.
    ///   - memoryBytes: What those may hold that wait to be removed.
    init(queue: ExecutionQueue, slots: UserSlots, misses: PoolMisses, memoryBytes: UInt64, log: Logger) {
        self.queue = queue
        self.misses = misses
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.log = log
        for number in 0..<2 {
            WorkerThread.start(name: "remover-\(number)") { [self] in serve() }
        }
        // Apart from the others: ten seconds for each that is stuck would hold up all that are not.
        WorkerThread.start(name: "remover-stuck") { [self] in retry() }
    }

    /// Removes a sandbox soon, then calls `done`.
    func remove(_ sandbox: Sandbox, done: @escaping @Sendable () -> Void) {
        let bytes = lightBytes(of: sandbox)
        let patience = bytes == nil ? SandboxRemover.patience : SandboxRemover.burst
        let job = Job(sandbox: sandbox, bytes: bytes, deadline: MonotonicClock.now + patience, done: done)
        state.update { state in
            state.jobs.append(job)
            state.bytes += bytes ?? 0
        }
    }

    /// What a sandbox holds that may wait for long; nil for others.
    private func lightBytes(of sandbox: Sandbox) -> UInt64? {
        guard !isHurried.load(ordering: .relaxed), !sandbox.spec.network.enabled,
            let bytes = try? sandbox.group.group.memoryCharged(), bytes <= SandboxRemover.lightBytes
        else { return nil }
        return bytes + SandboxRemover.kernelBytes
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
        if isHurried.load(ordering: .relaxed) || queue.hasRoom {
            state.busySince = nil
            state.most = SandboxRemover.backlog.burst
            return .remove(state.take(at: 0))
        }
        let now = MonotonicClock.now
        // With nothing to do nobody looks.
        let isNew = MonotonicClock.elapsed(from: state.seenAt, to: now) > 1_000_000_000
        let busySince = isNew ? now : state.busySince ?? now
        (state.busySince, state.seenAt) = (busySince, now)
        if isNew { state.most = SandboxRemover.backlog.burst }
        // Those that hold much come first: whatever else waits holds little.
        if let heavy = state.jobs.firstIndex(where: { $0.bytes == nil && now >= $0.deadline }) {
            return .remove(state.take(at: heavy))
        }
        if MonotonicClock.elapsed(from: busySince, to: now) >= SandboxRemover.burst {
            state.most = SandboxRemover.backlog.after
        } else if misses.isRecent(at: now) {
            // Where each has to be made there is no burst that will soon be over: those that wait become no more.
            state.most = min(state.most, max(state.jobs.count, SandboxRemover.backlog.after))
        }
        if state.jobs.count > state.most || state.bytes > memoryBytes || slots.freeCount < SandboxRemover.leastSlots {
            return .remove(state.take(at: 0))
        }
        guard let due = state.jobs.firstIndex(where: { now >= $0.deadline }) else { return .later }
        return .remove(state.take(at: due))
    }

    private func remove(_ job: Job) {
        if !job.sandbox.remove() {
            log.critical("a sandbox could not be removed; its ids stay out of use", metadata: about(job.sandbox))
            stuck.update { $0.append(job.sandbox) }
        }
        job.done()
        state.update { $0.seenAt = MonotonicClock.now }
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
