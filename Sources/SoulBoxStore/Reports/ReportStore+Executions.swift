internal import Postgres
internal import SoulBoxModel

extension ReportStore {
    /// How many of the slowest executions of each day are kept.
    public static let slowestKept = 50

    /// The executions of whole days that ran longest, at most `slowestKept`.
    public func slowest(account: [UInt8], _ period: ReportPeriod, limit: Int) throws -> [SlowExecution] {
        try pool.withConnection { connection in
            let result = try connection.run(ReportStore.slowestStatement, parameters(account, period, limit))
            return try result.rows.map { row throws in
                SlowExecution(
                    id: Identifier.text(.execution, uuid: try row.bytes("execution_id")),
                    language: try row.text("runtime"), status: try row.text("status"),
                    reason: try row.optionalText("reason"), wallMicroseconds: try row.integer("wall_us"),
                    key: try row.optionalBytes("key_id"), sandbox: try row.optionalBytes("sandbox_id"),
                    createdAt: Timestamp(microseconds: try row.microseconds("created")),
                    completedAt: Timestamp(microseconds: try row.microseconds("completed")),
                    isKept: try row.bool("is_kept"))
            }
        }
    }

    /// The languages, keys and sandboxes of which most executions failed in whole days, at most so many of each.
    public func failing(account: [UInt8], _ period: ReportPeriod, limit: Int) throws -> [FailingGroup] {
        try pool.withConnection { connection in
            let result = try connection.run(ReportStore.failingStatement, parameters(account, period, limit))
            return try result.rows.map { row throws in
                guard let dimension = FailingGroup.Dimension(rawValue: try row.text("dimension")) else {
                    throw PostgresError(.decoding, "unknown dimension")
                }
                return FailingGroup(
                    dimension: dimension, language: try row.optionalText("language"), id: try row.optionalBytes("id"),
                    name: try row.optionalText("name"), executions: try row.integer("executions"),
                    failed: try row.integer("failed"), timeout: try row.integer("timeout"))
            }
        }
    }

    /// `$1` is the account, `$2` and `$3` are the days, `$4` and `$5` the same as moments, `$6` is the limit.
    private func parameters(_ account: [UInt8], _ period: ReportPeriod, _ limit: Int) -> [PostgresParameter] {
        let (from, to) = (period.from.microseconds, period.to.microseconds)
        return [
            .uuid(account), .text(ReportPeriod.date(from)), .text(ReportPeriod.date(to)), .integer(from), .integer(to),
            PostgresParameter(limit),
        ]
    }

    package static let slowestStatement = """
        SELECT execution_id, runtime, status, nullif(reason, '') AS reason, wall_us, nullif(key_id, '\(none)') AS key_id,
            nullif(sandbox_id, '\(none)') AS sandbox_id, created_at AS created, completed_at AS completed,
            EXISTS (SELECT FROM executions e WHERE e.id = execution_id) AS is_kept
        FROM (
            SELECT * FROM (
                SELECT execution_id, runtime, status, reason, wall_us, key_id, sandbox_id, created_at, completed_at
                FROM usage_slowest WHERE account_id = $1 AND day >= $2::date AND day < $3::date
                UNION ALL
                SELECT execution_id, runtime, status, reason, wall_us, key_id, sandbox_id, created_at, completed_at
                FROM usage_pending WHERE account_id = $1 AND wall_us > 0
                    AND completed_at >= from_microseconds($4) AND completed_at < from_microseconds($5)) u
            ORDER BY wall_us DESC, execution_id LIMIT $6) s
        ORDER BY wall_us DESC, execution_id
        """

    package static let failingStatement: String = {
        let parts = FailingGroup.Dimension.allCases.map { dimension in
            let (grouping, language, id): (UsageGrouping, String, String) =
                switch dimension {
                case .language: (.language, "subject", "NULL::uuid")
                case .key: (.key, "NULL::text", "subject")
                case .sandbox: (.sandbox, "NULL::text", "subject")
                }
            let subject = grouping.subject(day: "day")
            let isSomething = grouping.subjectIsIdentifier ? "AND \(subject) <> '\(none)'" : ""
            return """
                SELECT '\(dimension.rawValue)' AS dimension, \(language) AS language, \(id) AS id, \(grouping.name(in: "groups")) AS name,
                    executions, failed, timeout
                FROM (
                    SELECT subject, sum(executions)::bigint AS executions,
                        coalesce(sum(executions) FILTER (WHERE status = 'failed'), 0)::bigint AS failed,
                        coalesce(sum(executions) FILTER (WHERE status = 'timeout'), 0)::bigint AS timeout
                    FROM (
                        SELECT \(subject) AS subject, status, executions FROM \(grouping.table)
                        WHERE account_id = $1 AND day >= $2::date AND day < $3::date \(isSomething)
                        UNION ALL
                        SELECT \(subject), status, 1 FROM usage_pending
                        WHERE account_id = $1 AND completed_at >= from_microseconds($4)
                            AND completed_at < from_microseconds($5) \(isSomething)) parts
                    GROUP BY subject HAVING bool_or(status IN ('failed', 'timeout'))
                    ORDER BY sum(executions) FILTER (WHERE status IN ('failed', 'timeout')) DESC, 2, subject
                    LIMIT $6::bigint) groups
                """
        }
        return """
            SELECT * FROM (\(parts.joined(separator: " UNION ALL "))) all_of_them
            ORDER BY dimension, failed + timeout DESC, executions, language, id
            """
    }()

    private static let none = "00000000-0000-0000-0000-000000000000"
}
