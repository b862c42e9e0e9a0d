internal import SoulBoxModel
internal import SoulBoxStore

extension ExecutionSummary {
    /// `execution_metrics` of `/metrics/performance`.
    var json: JSONValue {
        [
            "total_executions": .integer(total), "avg_execution_time": ExecutionSummary.seconds(duration?.average),
            "success_rate": successRate.map { .number(($0 * 10).rounded() / 10) } ?? .null,
            "peak_execution_time": ExecutionSummary.seconds(duration?.peak),
            "p50": ExecutionSummary.seconds(duration?.p50), "p95": ExecutionSummary.seconds(duration?.p95),
            "p99": ExecutionSummary.seconds(duration?.p99), "avg_queue_time": ExecutionSummary.seconds(queueAverage),
        ]
    }

    /// `container_metrics` of `/metrics/performance`: persistent sandboxes, and those in which one execution runs.
    func containers(_ figures: ServiceFigures) -> JSONValue {
        [
            "total_containers": .integer(figures.sandboxesTotal + figures.running),
            "running_containers": .integer((figures.sandboxes["running"] ?? 0) + figures.running),
            "avg_startup_time": ExecutionSummary.seconds(startup?.average),
            "p50": ExecutionSummary.seconds(startup?.p50), "p95": ExecutionSummary.seconds(startup?.p95),
            "p99": ExecutionSummary.seconds(startup?.p99),
        ]
    }

    /// To the microsecond, which is what is measured.
    private static func seconds(_ value: Double?) -> JSONValue {
        value.map { .number(($0 * 1_000_000).rounded() / 1_000_000) } ?? .null
    }
}
