public import Postgres
public import SoulBoxModel

/// What the nodes measured: samples of five seconds for a day, minutes for thirty days.
public struct MetricStore: Sendable {
    /// How often a node is measured, in seconds.
    public static let sampleSeconds: Int64 = 5
    /// How long samples are kept, in seconds.
    public static let sampleRetention = 24 * 3600
    /// How long minutes are kept, in seconds.
    public static let minuteRetention = 30 * 24 * 3600

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Keeps what a node measured at a moment; a value that is there for it stays. Values that are no numbers are left out.
    public func record(node: String, at moment: Timestamp, _ values: [String: Double]) throws {
        let finite = values.filter(\.value.isFinite).sorted { $0.key < $1.key }
        guard !finite.isEmpty else { return }
        try pool.withConnection { connection in
            try connection.transaction { connection in
                // A crash of the server may cost the last second; the disk is not to work for each sample.
                try connection.runScript("SET LOCAL synchronous_commit TO off")
                try connection.run(
                    """
                    INSERT INTO metric_samples (metric, node, at, value)
                    SELECT metric, $1, from_microseconds($2), value
                    FROM unnest($3::text[], $4::double precision[]) AS new (metric, value)
                    ON CONFLICT DO NOTHING
                    """,
                    [
                        .text(node), .integer(moment.microseconds), .textArray(finite.map(\.key)),
                        .text("{" + finite.map { "\($0.value)" }.joined(separator: ",") + "}"),
                    ])
            }
        }
    }

    /// The newest value of a metric on each node that has one no older than that many seconds, by node.
    public func latest(_ metric: String, within seconds: Int) throws -> [MetricSample] {
        try latest([metric], within: seconds)
    }

    /// The newest values of several metrics on each node, no older than that many seconds, by metric and node.
    public func latest(_ metrics: [String], within seconds: Int) throws -> [MetricSample] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT DISTINCT ON (metric, node) metric, node, at AS moment, value FROM metric_samples
                WHERE metric = ANY ($1) AND at >= now() - make_interval(secs => $2::bigint)
                ORDER BY metric, node, at DESC
                """, [.textArray(metrics), .integer(Int64(seconds))]
            ).rows.map(MetricStore.read)
        }
    }

    /// All samples of a metric since a moment, by node and time; no more than a day of them is kept.
    public func samples(_ metric: String, since moment: Timestamp) throws -> [MetricSample] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT metric, node, at AS moment, value FROM metric_samples
                WHERE metric = $1 AND at >= from_microseconds($2) ORDER BY node, at
                """, [.text(metric), .integer(moment.microseconds)]
            ).rows.map(MetricStore.read)
        }
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> MetricSample {
        MetricSample(
            metric: try row.text("metric"), node: try row.text("node"),
            at: Timestamp(microseconds: try row.microseconds("moment")), value: try row.number("value"))
    }
}
