public import SoulBoxModel

/// The executions whose end a process notes.
public struct ExecutionMetrics: Sendable {
    private let ends: [Runtime: [TerminationReason: MetricCounter]]
    private let startup: [Runtime: MetricHistogram]
    private let duration: [Runtime: MetricHistogram]
    private let queue: MetricHistogram

    /// Counts on that sheet.
    public init(_ sheet: MetricSheet) {
        var ends: [Runtime: [TerminationReason: MetricCounter]] = [:]
        var startup: [Runtime: MetricHistogram] = [:]
        var duration: [Runtime: MetricHistogram] = [:]
        for runtime in Runtime.allCases {
            for reason in TerminationReason.allCases {
                ends[runtime, default: [:]][reason] = sheet.counter(
                    .executions,
                    ["language": runtime.rawValue, "status": reason.status.rawValue, "reason": reason.rawValue])
            }
            startup[runtime] = sheet.histogram(.startup, ["language": runtime.rawValue])
            duration[runtime] = sheet.histogram(.executionDuration, ["language": runtime.rawValue])
        }
        self.ends = ends
        self.startup = startup
        self.duration = duration
        queue = sheet.histogram(.queueDuration)
    }

    /// Counts an execution whose end has just been noted.
    public func note(_ record: ExecutionRecord) {
        note(record.runtime, record.termination?.reason ?? .lost)
        if let startedAt = record.startedAt {
            startup[record.runtime]?.observe(
                microseconds: startedAt.microseconds - record.createdAt.microseconds)
        }
        if let wall = record.wallTimeMicroseconds { duration[record.runtime]?.observe(microseconds: wall) }
        if let waited = record.queueTimeMicroseconds { queue.observe(microseconds: waited) }
    }

    /// Counts an execution that ended without having run.
    public func note(_ runtime: Runtime, _ reason: TerminationReason, count: Int = 1) {
        ends[runtime]?[reason]?.add(UInt64(max(0, count)))
    }
}
