internal import Postgres
internal import SoulBoxModel

extension ExecutionStore {
    /// Notes the end with its files, in one transaction that is durable when this returns; false when another end was
    /// noted before, which stands.
    public func finish(_ id: String, _ execution: FinishedExecution) throws -> Bool {
        guard let uuid = Identifier.parse(id, .execution) else { return false }
        return try pool.withConnection { connection in
            // Most executions leave no file: then one statement is the whole transaction.
            guard !execution.artifacts.isEmpty else { return try note(execution.record, uuid, connection) }
            return try connection.transaction { connection in
                guard try note(execution.record, uuid, connection) else { return false }
                for artifact in execution.artifacts {
                    try connection.run(
                        """
                        INSERT INTO artifacts (execution_id, path, size, content) VALUES ($1, $2, $3, $4)
                        ON CONFLICT DO NOTHING
                        """,
                        [
                            .uuid(uuid), .text(artifact.path), .integer(artifact.size),
                            PostgresParameter(bytes: artifact.contents),
                        ])
                }
                return true
            }
        }
    }

    private func note(
        _ record: ExecutionRecord, _ id: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> Bool {
        try connection.run(
            """
            UPDATE executions SET
                status = $2, completed_at = from_microseconds($3), started_at = coalesce(from_microseconds($4), started_at),
                stdout = $5, stdout_truncated = $6, stderr = $7, stderr_truncated = $8, has_compile = $9,
                compile_exit_code = $10, compile_output = $11, compile_truncated = $12, compile_us = $13, reason = $14,
                signal = $15, detail = $16, exit_code = $17, wall_us = $18, cpu_us = $19, memory_peak = $20,
                queue_us = $21, results = $22, spec = NULL
            WHERE id = $1 AND completed_at IS NULL
            """,
            [
                .uuid(id), .text(record.status.rawValue),
                .integer((record.completedAt ?? .now).microseconds), PostgresParameter(record.startedAt?.microseconds),
                .bytes(record.stdout.bytes), .bool(record.stdout.isTruncated), .bytes(record.stderr.bytes),
                .bool(record.stderr.isTruncated), .bool(record.compile != nil),
                PostgresParameter(record.compile?.exitCode),
                .bytes(record.compile?.output.bytes ?? []), .bool(record.compile?.output.isTruncated ?? false),
                PostgresParameter(record.compile?.timeMicroseconds),
                PostgresParameter(record.termination?.reason.rawValue), PostgresParameter(record.termination?.signal),
                PostgresParameter(record.termination?.detail), PostgresParameter(record.exitCode),
                PostgresParameter(record.wallTimeMicroseconds), PostgresParameter(record.cpuTimeMicroseconds),
                PostgresParameter(record.memoryPeakBytes), PostgresParameter(record.queueTimeMicroseconds),
                PostgresParameter(record.results.map { JSONValue.array($0).text }),
            ]
        ).changed == 1
    }
}
