internal import Glibc
internal import LinuxKernel
public import Logging
internal import SoulBoxStore

/// Holds the rules of alerts against the measurements every five seconds, in one process of all that share a database.
public final class AlertEvaluator: Sendable {
    private static let pauseNanoseconds: UInt64 = 5_000_000_000
    private static let expiryNanoseconds: UInt64 = 600_000_000_000
    /// How long resolved alerts are kept.
    private static let retentionDays = 90
    private static let silenceNanoseconds: UInt64 = 60_000_000_000

    private let databaseURL: String
    private let log: Logger
    private let isStopping = Monitor(false)

    /// Makes one over that database.
    public init(databaseURL: String, log: Logger) {
        self.databaseURL = databaseURL
        self.log = log
    }

    /// Starts its thread.
    public func start() { WorkerThread.start(name: "alerts") { [self] in run() } }

    /// Decides nothing more; whoever follows need not wait for the end of this process.
    public func stop() { isStopping.update { $0 = true } }

    private func run() {
        var watch: AlertWatch?
        // Nobody is called silent for the time in which nobody listened.
        var listeningSince = MonotonicClock.now
        var nextExpiry = listeningSince
        while !isStopping.read({ $0 }) {
            let begin = MonotonicClock.now
            do {
                if watch == nil {
                    watch = try AlertWatch(databaseURL)
                    listeningSince = begin
                    if watch != nil { log.notice("this process raises the alerts") }
                }
                if let watch {
                    try evaluate(watch, mayJudgeSilence: begin > listeningSince + AlertEvaluator.silenceNanoseconds)
                    if begin >= nextExpiry {
                        nextExpiry = begin + AlertEvaluator.expiryNanoseconds
                        while try watch.expire(days: AlertEvaluator.retentionDays) > 0 {}
                    }
                }
            } catch {
                // With its connection goes the right; it is asked for anew.
                watch = nil
                log.warning("alerts are not evaluated", metadata: ["error": "\(error)"])
            }
            _ = isStopping.wait(until: begin + AlertEvaluator.pauseNanoseconds) { $0 ? true : nil }
        }
    }

    private func evaluate(_ watch: AlertWatch, mayJudgeSilence: Bool) throws {
        for reading in try watch.readings() {
            switch AlertJudgement(reading, mayJudgeSilence: mayJudgeSilence) {
            case .nothing: continue
            case .trigger(let value):
                guard let alert = try watch.trigger(reading, value: value) else { continue }
                log.warning(
                    "alert raised",
                    metadata: [
                        "alert.id": "\(alert.identifier)", "rule.id": "\(reading.rule.identifier)",
                        "alert.subject": "\(alert.subject)", "alert.severity": "\(alert.severity.rawValue)",
                    ])
            case .resolve:
                guard let id = reading.alert, let alert = try watch.resolve(id) else { continue }
                log.notice("alert resolved", metadata: ["alert.id": "\(alert.identifier)"])
            }
        }
    }
}
