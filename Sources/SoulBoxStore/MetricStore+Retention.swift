internal import Postgres

extension MetricStore {
    /// Sums the samples of a node up by the minute: from the last minute that was summed up, to the last that is over.
    ///
    /// Doing it again changes nothing. Returns how many sums were written.
    @discardableResult
    public func rollUp(node: String) throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                INSERT INTO metric_minutes AS m (metric, node, minute, count, sum, min, max, last)
                SELECT metric, node, date_trunc('minute', at), count(*), sum(value), min(value), max(value),
                    (array_agg(value ORDER BY at DESC))[1]
                FROM metric_samples
                WHERE node = $1 AND metric = ANY ($2) AND at < date_trunc('minute', now()) AND at >= coalesce(
                    (SELECT max(minute) FROM metric_minutes WHERE node = $1 AND metric = ANY ($2)), '-infinity')
                GROUP BY metric, node, date_trunc('minute', at)
                ON CONFLICT (metric, node, minute) DO UPDATE SET count = excluded.count, sum = excluded.sum,
                    min = excluded.min, max = excluded.max, last = excluded.last
                """, [.text(node), .textArray(MetricName.all)]
            ).changed
        }
    }

    /// Forgets what is past its time, a bounded number of rows at a time. Returns how many.
    public func expire() throws -> Int {
        try pool.withConnection { connection in
            var forgotten = 0
            for (table, time, seconds) in [
                ("metric_samples", "at", MetricStore.sampleRetention),
                ("metric_minutes", "minute", MetricStore.minuteRetention),
            ] {
                forgotten += try connection.run(
                    """
                    DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
                        SELECT ctid FROM \(table) WHERE \(time) < now() - make_interval(secs => $1::bigint) LIMIT 10000))
                    """, [.integer(Int64(seconds))]
                ).changed
            }
            return forgotten
        }
    }
}
