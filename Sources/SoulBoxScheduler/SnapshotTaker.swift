internal import IsolationProtocol
internal import LinuxKernel
public import Logging
public import SoulBoxExecution
internal import SoulBoxModel
public import SoulBoxStore

/// Takes the snapshots that the database asks for, and removes those that nobody wants any more.
///
/// One belongs to one process by a lease. When that process dies another one asks for it again under the same identifier,
/// and the isolation service answers with what it has.
public final class SnapshotTaker: Sendable {
    /// How long snapshots are kept.
    public struct Retention: Sendable, Equatable {
        let days: Int
        let perSandbox: Int

        /// So many days, and so many of each sandbox; 0 is without a bound.
        public init(days: Int, perSandbox: Int) {
            self.days = days
            self.perSandbox = perSandbox
        }
    }

    /// Of different sandboxes at once: a large one holds up few others.
    private static let places = 2
    private static let pauseNanoseconds: UInt64 = 500_000_000
    private static let reconcileNanoseconds: UInt64 = 60_000_000_000

    private let store: SnapshotStore
    private let connections: IsolatorConnections
    private let process: [UInt8]
    private let keep: Retention
    private let log: Logger
    private let queue: JobQueue<AccountSnapshot>
    private let isStopping = Monitor(false)

    /// Makes one.
    public init(
        databaseURL: String, store: SnapshotStore, connections: IsolatorConnections, process: [UInt8],
        keep: Retention, log: Logger
    ) {
        self.store = store
        self.connections = connections
        self.process = process
        self.keep = keep
        self.log = log
        queue = JobQueue(
            "snapshots", databaseURL: databaseURL, channel: SnapshotStore.channel, places: SnapshotTaker.places,
            log: log
        ) {
            // Asked before each: an attempt that could not even begin would be one less.
            _ = try connections.status(timeoutMilliseconds: 1000)
            return try store.take(process: process)
        }
    }

    /// Starts its threads.
    public func start() {
        queue.start { [self] in carryOut($0) }
        WorkerThread.start(name: "snapshots-sweep") { [self] in keepClean() }
    }

    /// Takes nothing more, and waits that many seconds for what is in progress; the rest is begun again elsewhere.
    public func stop(within seconds: UInt64) {
        isStopping.update { $0 = true }
        queue.stop(until: MonotonicClock.now + seconds * 1_000_000_000)
    }

    private func pause() -> Bool {
        isStopping.wait(until: MonotonicClock.now + SnapshotTaker.pauseNanoseconds) { $0 ? true : nil } ?? false
    }

    private func carryOut(_ snapshot: AccountSnapshot) {
        let about: Logger.Metadata = ["snapshot.id": "\(snapshot.identifier)", "attempt": "\(snapshot.attempts)"]
        let progress = Monitor((done: Int64(0), total: Int64(0)))
        // Often, since it also tells its owner how far it is.
        let lease = WorkLease("snapshot-lease", every: 1, log: log) { [store, process] in
            let now = progress.read { $0 }
            return try store.extend(snapshot, process: process, done: now.done, total: now.total)
        }
        defer { lease.end() }
        do {
            let taken = try connections.with { connection throws(IsolationError) in
                try connection.createSnapshot(
                    SnapshotRequest(
                        id: snapshot.identifier, sandbox: snapshot.sandbox, account: snapshot.account,
                        parent: snapshot.parent, isCompressed: snapshot.isCompressed,
                        includesMemory: snapshot.includesMemory)
                ) { told in
                    progress.update {
                        $0.done = told.doneBytes
                        $0.total = told.totalBytes
                    }
                }
            }
            _ = try store.finish(
                snapshot, process: process, size: taken.sizeBytes, disk: taken.diskBytes,
                pause: taken.pauseMicroseconds, total: progress.read { $0.total })
            log.info("snapshot taken", metadata: about)
        } catch {
            log.notice("snapshot not taken", metadata: about.merging(["error": "\(error)"]) { $1 })
            // What the database could not note, or a service that is away: the lease ends, and another attempt begins.
            guard let refusal = error as? IsolationError, refusal.code != .unavailable else { return }
            _ = try? store.fail(snapshot, process: process, reason: SnapshotTaker.reason(refusal))
        }
    }

    /// What its owner is told.
    private static func reason(_ error: IsolationError) -> String {
        switch error.code {
        case .notPossible, .conflict, .noSpace: error.message
        case .sandboxNotFound: "its sandbox is gone"
        case .sandboxNotRunning: "its sandbox does not run"
        case .snapshotNotFound: "the snapshot that it is incremental to is gone"
        default: "it could not be taken"
        }
    }

    private func keepClean() {
        var nextReconciliation = MonotonicClock.now
        while !pause() {
            do {
                for snapshot in try store.deleting() { remove(snapshot) }
                guard MonotonicClock.now >= nextReconciliation else { continue }
                let expired = try store.expire(days: keep.days, perSandbox: keep.perSandbox)
                if expired > 0 { log.info("snapshots expired", metadata: ["snapshots": "\(expired)"]) }
                try reconcile()
                nextReconciliation = MonotonicClock.now + SnapshotTaker.reconcileNanoseconds
            } catch {
                log.warning("snapshots not swept", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Compares what is noted with what is. Files of which nothing is noted stay: the database may be an older one that was
    /// restored, and the operator sees them with `soulbox snapshot list`.
    private func reconcile() throws {
        // In this order: one that is noted between the two is there already.
        let noted = try store.completed()
        let present = Set(
            try connections.with { connection throws(IsolationError) in try connection.snapshots() }.map(\.id))
        let lost = noted.filter { !present.contains($0.identifier) }
        guard !lost.isEmpty else { return }
        for snapshot in lost {
            log.error("the files of a snapshot are gone", metadata: ["snapshot.id": "\(snapshot.identifier)"])
        }
        try store.noteLost(lost)
    }

    private func remove(_ snapshot: AccountSnapshot) {
        do {
            try connections.with { connection throws(IsolationError) in
                try connection.removeSnapshot(snapshot.identifier, account: snapshot.account)
            }
            try store.finishDeletion(snapshot.id)
        } catch {
            // One that is being restored still is needed, for a moment.
            log.debug("a snapshot was left", metadata: ["snapshot.id": "\(snapshot.identifier)", "error": "\(error)"])
        }
    }
}
