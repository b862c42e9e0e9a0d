/// How much there is of what the database knows of, in the whole service.
public struct ServiceFigures: Sendable, Equatable {
    /// Persistent sandboxes by status.
    public var sandboxes: [String: Int64] = [:]
    /// Asynchronous executions that no scheduler has taken.
    public var queued: Int64 = 0
    /// Executions that run in a sandbox of their own.
    public var running: Int64 = 0
    /// Executions that ended in the last minute.
    public var ended: Int64 = 0
    /// Those of them that ended as `failed` or `timeout`.
    public var failed: Int64 = 0

    /// Alerts that are not resolved, by severity.
    public var alerts: [AlertRule.Severity: OpenAlerts] = [:]

    /// How many alerts of a severity are open.
    public struct OpenAlerts: Sendable, Equatable {
        /// Nobody has acknowledged them.
        public var active: Int64
        /// Somebody has.
        public var acknowledged: Int64
    }

    /// All persistent sandboxes.
    public var sandboxesTotal: Int64 { sandboxes.values.reduce(0, +) }
    /// Percent of the executions of the last minute that failed; 0 when none ended.
    public var failedPercent: Double { ended == 0 ? 0 : Double(failed) / Double(ended) * 100 }
}
