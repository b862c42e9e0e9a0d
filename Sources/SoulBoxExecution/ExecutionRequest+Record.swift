internal import SoulBoxModel

extension ExecutionRequest {
    /// What is known of the execution before it has run.
    var unfinishedRecord: ExecutionRecord {
        var record = ExecutionRecord(
            id: id, status: .queued, runtime: spec.runtime, template: spec.template, limits: spec.limits,
            createdAt: createdAt)
        record.sandbox = spec.sandbox
        record.context = spec.context
        return record
    }
}

extension ExecutionRecord {
    /// Notes how and when it ended.
    mutating func finish(_ termination: Termination, at moment: Timestamp) {
        self.termination = termination
        status = termination.reason.status
        completedAt = moment
    }

    /// Notes what the isolation service measured.
    mutating func take(_ outcome: ExecutionOutcome) {
        exitCode = outcome.exitCode
        wallTimeMicroseconds = outcome.wallTimeMicroseconds
        cpuTimeMicroseconds = outcome.cpuTimeMicroseconds
        memoryPeakBytes = outcome.memoryPeakBytes
        queueTimeMicroseconds = outcome.queueTimeMicroseconds
    }
}
