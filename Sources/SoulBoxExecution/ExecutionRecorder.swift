internal import Glibc
internal import LinuxKernel
public import Logging
public import SoulBoxMetrics
internal import SoulBoxModel
public import SoulBoxStore

/// Notes the ends of executions in the database, through an absence of it: a result that exists must not be lost.
public struct ExecutionRecorder: Sendable {
    /// What became of a note.
    public enum Outcome: Sendable, Equatable {
        /// It is committed.
        case recorded
        /// Another end had been noted before, which stands.
        case alreadyFinal
        /// The database stayed away.
        case failed
    }

    private let patienceNanoseconds: UInt64
    private let metrics: ExecutionMetrics?
    private let log: Logger
    private let finish: @Sendable (String, FinishedExecution) throws -> Bool

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - patienceSeconds: How long a note is tried again.
    ///   - metrics: Counts what is noted.
    ///   - finish: Notes an end: `ExecutionStore.finish`. False when another one was noted before.
    public init(
        patienceSeconds: Int = 120, metrics: ExecutionMetrics? = nil, log: Logger,
        finish: @escaping @Sendable (String, FinishedExecution) throws -> Bool
    ) {
        patienceNanoseconds = UInt64(patienceSeconds) * 1_000_000_000
        self.metrics = metrics
        self.log = log
        self.finish = finish
    }

    /// Notes an end and waits until it is committed.
    public func record(_ result: ExecutionResult) -> Outcome {
        let execution = FinishedExecution(record: result.record, artifacts: result.artifacts)
        let deadline = MonotonicClock.now + patienceNanoseconds
        var pauseMicroseconds: UInt32 = 50_000
        while true {
            do {
                guard try finish(result.record.id, execution) else { return .alreadyFinal }
                metrics?.note(result.record)
                return .recorded
            } catch {
                log.warning(
                    "end of an execution not noted",
                    metadata: ["execution.id": "\(result.record.id)", "error": "\(error)"])
                guard MonotonicClock.now < deadline else { return .failed }
                usleep(pauseMicroseconds)
                pauseMicroseconds = min(pauseMicroseconds * 2, 1_000_000)
            }
        }
    }
}
