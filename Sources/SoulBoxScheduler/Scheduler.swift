internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
public import Logging
internal import Postgres
public import SoulBoxExecution
public import SoulBoxMetrics
internal import SoulBoxModel
public import SoulBoxStore

/// The background work: asynchronous executions, executions whose process died, and results past their time.
///
/// Several may run, on several machines: each execution is taken by one, and the sweeps harm nobody when they meet.
public final class Scheduler: Sendable {
    private static let sweepSeconds: UInt64 = 4
    private static let expirySeconds: UInt64 = 600
    private static let reconcileSeconds: UInt64 = 30
    private static let keepMicroseconds: UInt32 = 2_000_000
    private static let restorers = 2

    /// A database that was away or halted has kept everybody's heartbeat back: nobody is judged until all have had the
    /// time for one.
    private static let quietNanoseconds = UInt64(ExecutionStore.heartbeatSeconds) * 1_000_000_000
    private static let promptNanoseconds: UInt64 = 1_000_000_000

    /// How long the audit log is kept.
    private static let auditDays = 400

    private let store: ExecutionStore
    private let processes: ProcessStore
    private let idempotency: IdempotencyStore
    private let audit: AuditStore
    private let limits: LimitStore
    private let sandboxes: SandboxStore
    private let keeper: SandboxKeeper
    private let templates: TemplateBuilder
    private let snapshots: SnapshotTaker
    private let usage: UsageRollUp
    private let runner: ExecutionRunner
    private let metrics: ExecutionMetrics
    private let process: [UInt8]
    private let retentionDays: Int
    private let queue: JobQueue<QueuedExecution>
    private let log: Logger

    /// Makes a scheduler that carries out at most `concurrent` executions at once.
    public init(
        databaseURL: String, store: ExecutionStore, processes: ProcessStore, idempotency: IdempotencyStore,
        audit: AuditStore, limits: LimitStore, sandboxes: SandboxStore,
        keeper: SandboxKeeper, templates: TemplateBuilder, snapshots: SnapshotTaker, usage: UsageRollUp,
        runner: ExecutionRunner, metrics: ExecutionMetrics, process: [UInt8], concurrent: Int,
        retentionDays: Int, log: Logger
    ) {
        self.store = store
        self.processes = processes
        self.idempotency = idempotency
        self.audit = audit
        self.limits = limits
        self.sandboxes = sandboxes
        self.keeper = keeper
        self.templates = templates
        self.snapshots = snapshots
        self.usage = usage
        self.runner = runner
        self.metrics = metrics
        self.process = process
        self.retentionDays = retentionDays
        queue = JobQueue(
            "queue", databaseURL: databaseURL, channel: ExecutionStore.queueChannel, places: concurrent, log: log
        ) { try store.takeQueued(process: process) }
        self.log = log
    }

    /// Starts its threads.
    public func start() {
        queue.start { [self] in carryOut($0) }
        WorkerThread.start(name: "sweep") { [self] in sweep() }
        WorkerThread.start(name: "sandboxes") { [self] in keepSandboxes() }
        for number in 0..<Scheduler.restorers {
            WorkerThread.start(name: "restores-\(number)") { [self] in
                while true {
                    keeper.sweepRestores()
                    usleep(Scheduler.keepMicroseconds)
                }
            }
        }
        templates.start()
        snapshots.start()
        usage.start()
    }

    /// Takes nothing more and waits for what is in progress, at most that many seconds.
    public func stop(within seconds: UInt64) {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        // Before anything is waited for: what would be taken meanwhile is others' to take.
        queue.close()
        templates.stop(within: seconds)
        snapshots.stop(within: 2)
        queue.stop(until: deadline)
    }

    private func carryOut(_ execution: QueuedExecution) {
        let request = ExecutionRequest(
            id: execution.id, account: Identifier.text(.account, uuid: execution.accountID), spec: execution.spec,
            createdAt: execution.createdAt)
        awaitSandbox(of: execution)
        let result = runner.run(request) { (try? store.markRunning(execution.id, process: process)) ?? true }
        if let refusal = result.refusal, refusal.code == .busy {
            // Nobody waits for the answer: it takes its turn again.
            do {
                try store.putBack(execution.id, process: process)
                return
            } catch {
                log.warning(
                    "execution not put back", metadata: ["execution.id": "\(execution.id)", "error": "\(error)"])
            }
        }
        _ = ExecutionRecorder(metrics: metrics, log: log, finish: store.finish).record(result)
    }

    /// A sandbox that is being made is waited for; if that fails, the isolation service says so of the execution.
    private func awaitSandbox(of execution: QueuedExecution) {
        guard let id = execution.spec.sandbox,
            let sandbox = try? sandboxes.find(id, account: execution.accountID), sandbox.status == .creating
        else { return }
        try? keeper.make(sandbox)
    }

    /// Lifetimes and idleness every two seconds, and what is noted against what is every thirty.
    private func keepSandboxes() {
        var nextReconciliation = MonotonicClock.now
        while true {
            if MonotonicClock.now >= nextReconciliation {
                do {
                    try keeper.reconcile()
                    nextReconciliation = MonotonicClock.now + Scheduler.reconcileSeconds * 1_000_000_000
                } catch {
                    log.warning("sandboxes not reconciled", metadata: ["error": "\(error)"])
                }
            }
            keeper.sweep()
            usleep(Scheduler.keepMicroseconds)
        }
    }

    private func sweep() {
        var nextExpiry = MonotonicClock.now
        var quietUntil: UInt64 = 0
        while true {
            do {
                let begin = MonotonicClock.now
                let moment = try store.serverTime()
                if MonotonicClock.now - begin > Scheduler.promptNanoseconds {
                    quietUntil = MonotonicClock.now + Scheduler.quietNanoseconds
                } else if begin >= quietUntil {
                    let lost = try store.sweepLost(at: moment)
                    for runtime in lost { metrics.note(runtime, .lost) }
                    if !lost.isEmpty { log.warning("executions lost", metadata: ["executions": "\(lost.count)"]) }
                }
                if MonotonicClock.now >= nextExpiry {
                    nextExpiry = MonotonicClock.now + Scheduler.expirySeconds * 1_000_000_000
                    while try store.expire(days: retentionDays) > 0 {}
                    while try idempotency.expire() > 0 {}
                    while try audit.expire(days: Scheduler.auditDays) > 0 {}
                    while try sandboxes.expireEvents(days: Scheduler.auditDays) > 0 {}
                    _ = try limits.expire()
                    _ = try processes.expire()
                }
            } catch {
                quietUntil = MonotonicClock.now + Scheduler.quietNanoseconds
                log.warning("sweep failed", metadata: ["error": "\(error)"])
            }
            usleep(UInt32(Scheduler.sweepSeconds) * 1_000_000)
        }
    }
}
