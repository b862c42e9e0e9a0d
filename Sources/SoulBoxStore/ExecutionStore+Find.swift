internal import Postgres
public import SoulBoxModel

extension ExecutionStore {
    /// An execution of that account.
    public func find(_ id: String, account: [UInt8]) throws -> ExecutionRecord? {
        guard let uuid = Identifier.parse(id, .execution) else { return nil }
        return try pool.withConnection { connection in
            let result = try connection.run(
                """
                SELECT status, runtime, template, timeout_ms, memory_bytes, cpu_millicores, process_limit,
                    to_microseconds(created_at) AS created, to_microseconds(started_at) AS started,
                    to_microseconds(completed_at) AS completed, stdout, stdout_truncated, stderr, stderr_truncated,
                    has_compile, compile_exit_code, compile_output, compile_truncated, compile_us, reason, signal, detail,
                    exit_code, wall_us, cpu_us, memory_peak, queue_us
                FROM executions WHERE id = $1 AND account_id = $2
                """, [.uuid(uuid), .uuid(account)])
            guard let row = result.first else { return nil }
            var record = try read(row, id: id)
            if record.status.isFinal {
                record.artifacts = try connection.run(
                    "SELECT path, size, content IS NOT NULL AS stored FROM artifacts WHERE execution_id = $1 ORDER BY path",
                    [.uuid(uuid)]
                ).rows.map {
                    .init(path: try $0.text("path"), size: try $0.integer("size"), isStored: try $0.bool("stored"))
                }
            }
            return record
        }
    }

    /// A file that an execution of that account left behind.
    public func artifact(execution: String, account: [UInt8], path: String) throws -> Artifact? {
        guard let uuid = Identifier.parse(execution, .execution) else { return nil }
        return try pool.withConnection { connection in
            let result = try connection.run(
                """
                SELECT a.size, a.content FROM artifacts a JOIN executions e ON e.id = a.execution_id
                WHERE e.id = $1 AND e.account_id = $2 AND a.path = $3
                """, [.uuid(uuid), .uuid(account), .text(path)])
            guard let row = result.first else { return nil }
            return Artifact(path: path, size: try row.integer("size"), contents: try row.optionalBytes("content"))
        }
    }

    private func read(_ row: PostgresRow, id: String) throws(PostgresError) -> ExecutionRecord {
        guard let status = ExecutionStatus(rawValue: try row.text("status")),
            let runtime = Runtime(rawValue: try row.text("runtime"))
        else { throw PostgresError(.decoding, "unknown status or runtime") }
        var record = ExecutionRecord(
            id: id, status: status, runtime: runtime, template: try row.text("template"),
            limits: ExecutionLimits(
                timeoutMilliseconds: Int(try row.integer("timeout_ms")), memoryBytes: try row.integer("memory_bytes"),
                cpuMillicores: Int(try row.integer("cpu_millicores")), processes: Int(try row.integer("process_limit"))),
            createdAt: Timestamp(microseconds: try row.integer("created")))
        record.startedAt = try row.optionalInteger("started").map(Timestamp.init(microseconds:))
        record.completedAt = try row.optionalInteger("completed").map(Timestamp.init(microseconds:))
        record.stdout = .init(bytes: try row.bytes("stdout"), isTruncated: try row.bool("stdout_truncated"))
        record.stderr = .init(bytes: try row.bytes("stderr"), isTruncated: try row.bool("stderr_truncated"))
        if try row.bool("has_compile") {
            record.compile = .init(
                exitCode: try row.optionalInteger("compile_exit_code").map(Int.init),
                output: .init(bytes: try row.bytes("compile_output"), isTruncated: try row.bool("compile_truncated")),
                timeMicroseconds: try row.optionalInteger("compile_us") ?? 0)
        }
        if let reason = try row.optionalText("reason").flatMap(TerminationReason.init(rawValue:)) {
            record.termination = Termination(
                reason: reason, signal: try row.optionalText("signal"), detail: try row.optionalText("detail"))
        }
        record.exitCode = try row.optionalInteger("exit_code").map(Int.init)
        record.wallTimeMicroseconds = try row.optionalInteger("wall_us")
        record.cpuTimeMicroseconds = try row.optionalInteger("cpu_us")
        record.memoryPeakBytes = try row.optionalInteger("memory_peak")
        record.queueTimeMicroseconds = try row.optionalInteger("queue_us")
        return record
    }
}
