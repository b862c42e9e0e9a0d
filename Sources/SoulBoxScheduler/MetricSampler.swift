internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
public import Logging
public import SoulBoxExecution
public import SoulBoxMetrics
internal import SoulBoxModel
public import SoulBoxStore

/// Measures the node every five seconds, and keeps the measurements in order: minutes, and what is past its time.
///
/// On the grid of the system's clock, so that several schedulers of a node measure the same moments. A database that is
/// away costs the samples of that time and nothing else.
///
/// Safe because everything that changes belongs to the one thread that `start()` starts.
public final class MetricSampler: @unchecked Sendable {
    private static let period = MetricStore.sampleSeconds * 1_000_000
    private static let minute: Int64 = 60_000_000
    private static let hour: Int64 = 3_600_000_000
    private static let expiryNanoseconds: UInt64 = 600_000_000_000
    /// An end may be noted minutes after it: by a process that waited for the database.
    private static let late = 5 * minute

    private let store: MetricStore
    private let directory: MetricDirectory
    private let health: ServiceHealth
    private let node: String
    private let sandboxDirectory: String
    private let log: Logger

    private var time = HostFigures.processorTime
    private var errors: (count: UInt64, at: UInt64)?
    private var summedMinute: Int64 = 0
    private var executionsUntil: Timestamp?
    private var nextExpiry: UInt64 = 0
    private var isFailing = false

    /// Makes a sampler.
    ///
    /// - Parameters:
    ///   - directory: Where the processes of the instance count.
    ///   - node: What this machine is called.
    ///   - sandboxDirectory: A place on the volume of the sandboxes.
    public init(
        store: MetricStore, directory: MetricDirectory, health: ServiceHealth, node: String, sandboxDirectory: String,
        log: Logger
    ) {
        self.store = store
        self.directory = directory
        self.health = health
        self.node = node
        self.sandboxDirectory = sandboxDirectory
        self.log = log
    }

    /// Starts its thread.
    public func start() {
        WorkerThread.start(name: "samples") { [self] in
            while true {
                let now = Timestamp.now.microseconds
                let next = (now / MetricSampler.period + 1) * MetricSampler.period
                usleep(UInt32(clamping: next - now))
                sample(at: Timestamp(microseconds: next))
            }
        }
    }

    private func sample(at moment: Timestamp) {
        let begin = MonotonicClock.now
        do {
            try store.record(node: node, at: moment, measure())
            try keepInOrder(moment)
            if isFailing { log.notice("measurements are kept again") }
            isFailing = false
        } catch {
            // Once for each absence, not every five seconds.
            if !isFailing { log.warning("measurements are lost", metadata: ["error": "\(error)"]) }
            isFailing = true
        }
        if MonotonicClock.now - begin > UInt64(MetricSampler.period) * 1000 {
            log.debug("measuring took longer than its period")
        }
    }

    /// What can be measured now.
    private func measure() throws -> [String: Double] {
        var values: [String: Double] = [:]
        let present = HostFigures.processorTime
        if let present, let time { values[MetricName.cpuUsage] = present.usage(since: time) }
        time = present
        values[MetricName.memoryUsage] = HostFigures.memoryUsage
        for resource in MetricName.resources {
            values[MetricName.pressure(resource)] = HostFigures.pressure(of: resource)
        }
        if let space = try? HostFigures.space(at: sandboxDirectory) {
            values[MetricName.diskFreeBytes] = Double(space.availableBytes)
            let all = Double(space.availableBytes + space.usedBytes)
            if all > 0 { values[MetricName.diskUsage] = Double(space.usedBytes) / all * 100 }
        }
        for finding in health.monitor.findings { values[MetricName.isUp(finding.name)] = finding.isHealthy ? 1 : 0 }
        let status = health.isolatorStatus
        values[MetricName.executionsRunning] = status.map { Double($0.executionsRunning) }
        values[MetricName.apiErrorsPerSecond] = errorRate()
        let figures = try store.figures()
        values[MetricName.queueDepth] = Double(figures.queued) + (status.map { Double($0.executionsWaiting) } ?? 0)
        values[MetricName.executionsFailedPercent] = figures.failedPercent
        values[MetricName.sandboxesTotal] = Double(figures.sandboxesTotal)
        values[MetricName.sandboxesRunning] = Double(figures.sandboxes["running"] ?? 0)
        return values
    }

    /// Answers above 499 since the last measurement, a second; nil for the first.
    private func errorRate() -> Double? {
        guard let totals = try? directory.collect() else { return nil }
        let now = (count: totals.sum(.requests) { $0.contains("status=\"5xx\"") }, at: MonotonicClock.now)
        defer { errors = now }
        guard let errors, now.at > errors.at, now.count >= errors.count else { return nil }
        return Double(now.count - errors.count) / (Double(now.at - errors.at) / 1e9)
    }

    private func keepInOrder(_ moment: Timestamp) throws {
        if moment.microseconds / MetricSampler.minute != summedMinute {
            try store.rollUp(node: node)
            try sumExecutionsUp(moment)
            summedMinute = moment.microseconds / MetricSampler.minute
        }
        if MonotonicClock.now >= nextExpiry {
            while try store.expire() > 0 {}
            nextExpiry = MonotonicClock.now + MetricSampler.expiryNanoseconds
        }
    }

    /// At most an hour at a time, so that no statement takes long after an absence.
    private func sumExecutionsUp(_ moment: Timestamp) throws {
        let oldest = moment.microseconds - 25 * MetricSampler.hour
        var from = max(oldest, try (executionsUntil ?? store.executionsRolledUp())?.microseconds ?? oldest)
        repeat {
            let until = min(from + MetricSampler.hour, moment.microseconds)
            try store.rollUpExecutions(
                from: Timestamp(microseconds: from - MetricSampler.late), until: Timestamp(microseconds: until))
            from = until
        } while from < moment.microseconds
        executionsUntil = moment
    }
}
