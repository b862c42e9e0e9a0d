internal import Postgres

extension MetricStore {
    /// What a metric came to in the last `seconds`; nil when nothing was measured.
    ///
    /// Up to a day it comes from the samples. Beyond, from the minutes: average and peak are exact still, and percentiles
    /// are those of the minutes' averages.
    public func summary(_ metric: String, seconds: Int) throws -> MetricSummary? {
        let values =
            seconds <= MetricStore.sampleRetention
            ? """
            SELECT value, value AS sum, value AS max, 1 AS count FROM metric_samples
            WHERE metric = $1 AND at >= now() - make_interval(secs => $2::bigint)
            """
            : """
            SELECT sum / count AS value, sum, max, count FROM metric_minutes
            WHERE metric = $1 AND minute >= now() - make_interval(secs => $2::bigint)
            """
        let row = try pool.withConnection { connection in
            try connection.run(
                """
                SELECT sum(count)::bigint AS count, sum(sum) / sum(count) AS average, max(max) AS peak,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50,
                    percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95,
                    percentile_cont(0.99) WITHIN GROUP (ORDER BY value) AS p99
                FROM (\(values)) AS v
                """, [.text(metric), .integer(Int64(seconds))]
            ).first
        }
        guard let row, let count = try row.optionalInteger("count") else { return nil }
        let newest = try latest(metric, within: 60).map(\.value)
        return MetricSummary(
            current: newest.isEmpty ? nil : newest.reduce(0, +) / Double(newest.count),
            average: try row.number("average"), peak: try row.number("peak"), p50: try row.number("p50"),
            p95: try row.number("p95"), p99: try row.number("p99"), count: count)
    }
}
