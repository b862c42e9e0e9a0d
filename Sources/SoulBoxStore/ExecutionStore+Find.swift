internal import Postgres
public import SoulBoxModel

extension ExecutionStore {
    private static let columns = """
        e.id, e.sandbox_id, e.context_id, e.results, e.status, e.runtime, e.template, e.timeout_ms, e.memory_bytes, e.cpu_millicores, e.process_limit,
        e.created_at AS created, e.started_at AS started,
        e.completed_at AS completed, e.stdout, e.stdout_truncated, e.stderr, e.stderr_truncated,
        e.has_compile, e.compile_exit_code, e.compile_output, e.compile_truncated, e.compile_us, e.reason, e.signal,
        e.detail, e.exit_code, e.wall_us, e.cpu_us, e.memory_peak, e.queue_us,
        EXISTS (SELECT FROM artifacts f WHERE f.execution_id = e.id) AS has_artifacts
        """

    private static let findOfKey = """
        SELECT \(KeyAdmission.columns), \(columns)
        FROM api_keys k LEFT JOIN executions e ON e.id = $4 AND e.account_id = k.account_id
        WHERE \(KeyAdmission.isGood)
        """

    private static let findOfAnyone = """
        WITH a AS MATERIALIZED (SELECT * FROM \(Ticket.call))
        SELECT a.*, \(columns)
        FROM a LEFT JOIN executions e ON a.outcome = 'admitted' AND e.id = $8 AND e.account_id = a.account
        """

    /// An execution of that account.
    public func find(_ id: String, account: [UInt8]) throws -> ExecutionRecord? {
        guard let uuid = Identifier.parse(id, .execution) else { return nil }
        return try pool.withConnection { connection in
            let result = try connection.run(
                "SELECT \(ExecutionStore.columns) FROM executions e WHERE e.id = $1 AND e.account_id = $2",
                [.uuid(uuid), .uuid(account)])
            return try result.first.map { row throws in try read(row, id: id, connection) }
        }
    }

    /// Admits a request and reads an execution of the account that it is for, in one round trip.
    public func find(_ id: String, _ ticket: Ticket) throws -> (admission: Admission, record: ExecutionRecord?) {
        let uuid = Identifier.parse(id, .execution)
        return try pool.withConnection { connection in
            if KeyAdmission.serves(ticket),
                let row = try connection.run(
                    ExecutionStore.findOfKey, KeyAdmission.parameters(ticket) + [PostgresParameter(uuid: uuid)]
                ).first
            {
                let admission = try KeyAdmission.admission(row, ticket, connection)
                guard case .admitted = admission.outcome else { return (admission, nil) }
                return (admission, try readIfFound(row, id: id, connection))
            }
            let result = try connection.run(
                ExecutionStore.findOfAnyone, ticket.parameters + [PostgresParameter(uuid: uuid)])
            guard let row = result.first else { throw PostgresError(.decoding, "no admission") }
            return (try ticket.admission(row), try readIfFound(row, id: id, connection))
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

    private func readIfFound(
        _ row: PostgresRow, id: String, _ connection: PostgresConnection
    ) throws(PostgresError) -> ExecutionRecord? {
        try row.optionalBytes("id") == nil ? nil : try read(row, id: id, connection)
    }

    private func read(
        _ row: PostgresRow, id: String, _ connection: PostgresConnection
    ) throws(PostgresError) -> ExecutionRecord {
        var record = try readSummary(row, id: id)
        record.stdout = .init(bytes: try row.bytes("stdout"), isTruncated: try row.bool("stdout_truncated"))
        record.stderr = .init(bytes: try row.bytes("stderr"), isTruncated: try row.bool("stderr_truncated"))
        if try row.bool("has_compile") {
            record.compile = .init(
                exitCode: try row.optionalInteger("compile_exit_code").map(Int.init),
                output: .init(bytes: try row.bytes("compile_output"), isTruncated: try row.bool("compile_truncated")),
                timeMicroseconds: try row.optionalInteger("compile_us") ?? 0)
        }
        record.context = try row.optionalText("context_id")
        record.results = try row.optionalText("results").flatMap { (try? JSONParser.parse(Array($0.utf8)))?.arrayValue }
        // Most leave no file: looking for their names in the same statement would cost all of them.
        if try row.bool("has_artifacts") {
            let files = try connection.run(
                """
                SELECT path, size, content IS NOT NULL AS is_stored FROM artifacts WHERE execution_id = $1 ORDER BY path
                """, [.uuid(try row.bytes("id"))])
            record.artifacts = try files.rows.map { row throws(PostgresError) in
                ExecutionRecord.ArtifactEntry(
                    path: try row.text("path"), size: try row.integer("size"), isStored: try row.bool("is_stored"))
            }
        }
        return record
    }

    /// Everything but output and files.
    func readSummary(_ row: PostgresRow, id: String) throws(PostgresError) -> ExecutionRecord {
        guard let status = ExecutionStatus(rawValue: try row.text("status")),
            let runtime = Runtime(rawValue: try row.text("runtime"))
        else { throw PostgresError(.decoding, "unknown status or runtime") }
        var record = ExecutionRecord(
            id: id, status: status, runtime: runtime, template: try row.text("template"),
            limits: ExecutionLimits(
                timeoutMilliseconds: Int(try row.integer("timeout_ms")), memoryBytes: try row.integer("memory_bytes"),
                cpuMillicores: Int(try row.integer("cpu_millicores")), processes: Int(try row.integer("process_limit"))),
            createdAt: Timestamp(microseconds: try row.microseconds("created")))
        record.sandbox = try row.optionalBytes("sandbox_id").map { Identifier.text(.sandbox, uuid: $0) }
        record.startedAt = try row.optionalMicroseconds("started").map(Timestamp.init(microseconds:))
        record.completedAt = try row.optionalMicroseconds("completed").map(Timestamp.init(microseconds:))
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
