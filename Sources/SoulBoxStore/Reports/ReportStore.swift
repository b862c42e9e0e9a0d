public import Postgres
internal import SoulBoxModel

/// Reports on what executions have used.
///
/// Each is one statement, which sees one moment: an execution is either in the sums or pending, never in both or neither.
public struct ReportStore: Sendable {
    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// What was used in an interval by one account, or by all, in groups; at most so many of them.
    public func usage(
        account: [UInt8]?, _ period: ReportPeriod, by grouping: UsageGrouping, limit: Int
    ) throws -> UsageReport {
        let parts = period.parts
        let parameters: [PostgresParameter] =
            [
                PostgresParameter(uuid: account), .text(ReportPeriod.date(parts.days.lowerBound)),
                .text(ReportPeriod.date(parts.days.upperBound)),
            ]
            + [
                parts.head.lowerBound, parts.head.upperBound, parts.tail.lowerBound, parts.tail.upperBound,
                parts.head.lowerBound, parts.tail.upperBound,
            ].map { .integer($0) } + [PostgresParameter(limit)]
        return try pool.withConnection { connection in
            let result = try connection.run(ReportStore.statement(grouping, isForAll: account == nil), parameters)
            var report = UsageReport(rows: [], totals: UsageSums(), groups: 0)
            for row in result.rows {
                guard try !row.bool("is_total") else {
                    report.totals = try ReportStore.sums(row)
                    report.groups = try row.integer("groups")
                    continue
                }
                let hasID = grouping.subjectIsIdentifier
                let id = hasID ? try row.bytes("subject") : nil
                report.rows.append(
                    UsageReport.Row(
                        text: hasID ? nil : try row.text("subject"),
                        id: id.flatMap { $0.allSatisfy { $0 == 0 } ? nil : $0 },
                        name: try row.optionalText("name"), sums: try ReportStore.sums(row)))
            }
            return report
        }
    }

    /// The statement for a grouping.
    ///
    /// `$1` is the account, `$2` and `$3` are the whole days, `$4` to `$7` the quarters of an hour around them, `$8` and `$9`
    /// all of the interval, `$10` is the limit.
    package static func statement(_ grouping: UsageGrouping, isForAll: Bool) -> String {
        let account = isForAll ? "$1::uuid IS NULL" : "account_id = $1::uuid"
        let sums = "cpu_us, wall_us, queue_us, memory_peak, memory_mib_ms, output_bytes"
        return """
            WITH parts AS (
                SELECT \(grouping.subject(day: "day")) AS subject, status, executions, \(sums)
                FROM \(grouping.table) WHERE \(account) AND day >= $2::date AND day < $3::date
                UNION ALL
                SELECT \(grouping.subject(day: "(quarter AT TIME ZONE 'UTC')::date")), status, executions, \(sums)
                FROM usage_by_quarter_hour
                WHERE \(account) AND quarter >= from_microseconds($4) AND quarter < from_microseconds($5)
                UNION ALL
                SELECT \(grouping.subject(day: "(quarter AT TIME ZONE 'UTC')::date")), status, executions, \(sums)
                FROM usage_by_quarter_hour
                WHERE \(account) AND quarter >= from_microseconds($6) AND quarter < from_microseconds($7)
                UNION ALL
                SELECT \(grouping.subject(day: "(completed_at AT TIME ZONE 'UTC')::date")), status, 1, \(sums)
                FROM usage_pending
                WHERE \(account) AND completed_at >= from_microseconds($8) AND completed_at < from_microseconds($9)
            ), sums AS (
                SELECT grouping(subject) = 1 AS is_total, subject, \(ReportStore.sums)
                FROM parts GROUP BY GROUPING SETS ((subject), ())
            ), listed AS (
                SELECT *, count(*) OVER () - 1 AS groups FROM sums
                ORDER BY is_total DESC, \(grouping == .day ? "" : "executions DESC,") subject LIMIT $10::bigint + 1
            )
            SELECT is_total, \(grouping == .day ? "subject::text AS subject" : "subject"), groups, executions, completed,
                failed, timeout, cancelled, cpu_us, wall_us, queue_us, memory_peak, memory_mib_ms, output_bytes,
                \(grouping.name(in: "listed")) AS name
            FROM listed
            """
    }

    private static let sums = """
        coalesce(sum(executions), 0)::bigint AS executions,
        coalesce(sum(executions) FILTER (WHERE status = 'completed'), 0)::bigint AS completed,
        coalesce(sum(executions) FILTER (WHERE status = 'failed'), 0)::bigint AS failed,
        coalesce(sum(executions) FILTER (WHERE status = 'timeout'), 0)::bigint AS timeout,
        coalesce(sum(executions) FILTER (WHERE status = 'cancelled'), 0)::bigint AS cancelled,
        coalesce(sum(cpu_us), 0)::bigint AS cpu_us, coalesce(sum(wall_us), 0)::bigint AS wall_us,
        coalesce(sum(queue_us), 0)::bigint AS queue_us, coalesce(max(memory_peak), 0)::bigint AS memory_peak,
        coalesce(sum(memory_mib_ms), 0)::bigint AS memory_mib_ms,
        coalesce(sum(output_bytes), 0)::bigint AS output_bytes
        """

    private static func sums(_ row: PostgresRow) throws(PostgresError) -> UsageSums {
        var sums = UsageSums()
        sums.executions = try row.integer("executions")
        sums.completed = try row.integer("completed")
        sums.failed = try row.integer("failed")
        sums.timeout = try row.integer("timeout")
        sums.cancelled = try row.integer("cancelled")
        sums.cpuMicroseconds = try row.integer("cpu_us")
        sums.wallMicroseconds = try row.integer("wall_us")
        sums.queueMicroseconds = try row.integer("queue_us")
        sums.memoryPeakBytes = try row.integer("memory_peak")
        sums.memoryMebibyteMilliseconds = try row.integer("memory_mib_ms")
        sums.outputBytes = try row.integer("output_bytes")
        return sums
    }
}
