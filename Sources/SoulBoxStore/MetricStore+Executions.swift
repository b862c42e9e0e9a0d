internal import Postgres
public import SoulBoxModel

extension MetricStore {
    /// Under which node the figures of the whole service are kept.
    static let service = "service"

    private static let durations = "execution_seconds"
    private static let startups = "execution_startup_seconds"
    private static let waits = "execution_queue_seconds"
    private static func ended(_ status: String) -> String { "executions_\(status)" }

    /// Sums the ends of executions within that time up by the minute; only whole minutes, and doing it again changes nothing.
    public func rollUpExecutions(from begin: Timestamp, until end: Timestamp) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                INSERT INTO metric_minutes AS m (metric, node, minute, count, sum, min, max, last)
                SELECT metric, $3, date_trunc('minute', at), count(*), sum(value), min(value), max(value),
                    (array_agg(value ORDER BY at DESC))[1]
                FROM (
                    SELECT e.completed_at AS at, v.metric, v.value
                    FROM executions e CROSS JOIN LATERAL (VALUES
                        ('\(MetricStore.durations)', (e.wall_us / 1e6)::double precision),
                        ('\(MetricStore.startups)', extract(epoch FROM e.started_at - e.created_at)::double precision),
                        ('\(MetricStore.waits)', (e.queue_us / 1e6)::double precision),
                        ('executions_' || e.status, 1)) AS v (metric, value)
                    WHERE e.completed_at >= date_trunc('minute', from_microseconds($1))
                        AND e.completed_at < date_trunc('minute', from_microseconds($2)) AND v.value IS NOT NULL
                ) AS ends
                GROUP BY metric, date_trunc('minute', at)
                ON CONFLICT (metric, node, minute) DO UPDATE SET count = excluded.count, sum = excluded.sum,
                    min = excluded.min, max = excluded.max, last = excluded.last
                """, [.integer(begin.microseconds), .integer(end.microseconds), .text(MetricStore.service)])
        }
    }

    /// Up to when the ends of executions have been summed up; nil for never.
    public func executionsRolledUp() throws -> Timestamp? {
        try pool.withConnection { connection in
            try connection.run(
                "SELECT max(minute) AS moment FROM metric_minutes WHERE node = $1 AND metric = ANY ($2)",
                [
                    .text(MetricStore.service),
                    .textArray(["completed", "failed", "timeout", "cancelled"].map(MetricStore.ended)),
                ]
            ).first?.optionalMicroseconds("moment").map(Timestamp.init(microseconds:))
        }
    }

    /// What the executions that ended in the last `seconds` came to.
    ///
    /// Up to a day it comes from the executions themselves. Beyond, from the minutes: counts, averages and the longest are
    /// exact still, and percentiles are those of the minutes' averages.
    public func executions(seconds: Int) throws -> ExecutionSummary {
        let isRecent = seconds <= MetricStore.sampleRetention
        return try pool.withConnection { connection in
            let counts = try connection.run(
                isRecent
                    ? """
                    SELECT status AS metric, count(*) AS count FROM executions
                    WHERE completed_at >= now() - make_interval(secs => $1::bigint) GROUP BY status
                    """
                    : """
                    SELECT metric, sum(count)::bigint AS count FROM metric_minutes
                    WHERE node = '\(MetricStore.service)' AND metric IN ('executions_completed', 'executions_failed',
                        'executions_timeout', 'executions_cancelled')
                        AND minute >= now() - make_interval(secs => $1::bigint)
                    GROUP BY metric
                    """, [.integer(Int64(seconds))])
            var summary = ExecutionSummary()
            for row in counts.rows {
                let count = try row.integer("count")
                summary.total += count
                switch try row.text("metric").split(separator: "_").last {
                case "completed": summary.completed += count
                case "failed", "timeout": summary.failed += count
                default: break
                }
            }
            func times(_ metric: String, _ expression: String) throws -> ExecutionSummary.Times? {
                try MetricStore.times(
                    isRecent
                        ? """
                        SELECT value, value AS sum, value AS max, 1 AS count FROM (
                            SELECT \(expression) AS value FROM executions
                            WHERE completed_at >= now() - make_interval(secs => $1::bigint)) AS e
                        WHERE value IS NOT NULL
                        """
                        : """
                        SELECT sum / count AS value, sum, max, count FROM metric_minutes
                        WHERE node = '\(MetricStore.service)' AND metric = '\(metric)'
                            AND minute >= now() - make_interval(secs => $1::bigint)
                        """, seconds, connection)
            }
            summary.duration = try times(MetricStore.durations, "(wall_us / 1e6)::double precision")
            summary.startup = try times(
                MetricStore.startups, "extract(epoch FROM started_at - created_at)::double precision")
            summary.queueAverage = try times(MetricStore.waits, "(queue_us / 1e6)::double precision")?.average
            return summary
        }
    }

    private static func times(
        _ values: String, _ seconds: Int, _ connection: PostgresConnection
    ) throws -> ExecutionSummary.Times? {
        let row = try connection.run(
            """
            SELECT sum(sum) / sum(count) AS average, max(max) AS peak,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95,
                percentile_cont(0.99) WITHIN GROUP (ORDER BY value) AS p99
            FROM (\(values)) AS v
            """, [.integer(Int64(seconds))]
        ).first
        guard let row, let average = try row.optionalNumber("average") else { return nil }
        return ExecutionSummary.Times(
            average: average, peak: try row.number("peak"), p50: try row.number("p50"), p95: try row.number("p95"),
            p99: try row.number("p99"))
    }
}
