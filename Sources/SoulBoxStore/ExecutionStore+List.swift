internal import Postgres
public import SoulBoxModel

extension ExecutionStore {
    /// Executions of that account, the newest first, without their output.
    public func list(account: [UInt8], filter: ExecutionFilter, page: Page) throws -> Listing<ExecutionRecord> {
        let condition = """
            account_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR runtime = $3)
            AND ($4::bigint IS NULL OR created_at >= from_microseconds($4))
            AND ($5::bigint IS NULL OR created_at < from_microseconds($5))
            AND ($6::uuid IS NULL OR sandbox_id = $6)
            """
        let parameters: [PostgresParameter] = [
            .uuid(account), PostgresParameter(filter.status?.rawValue), PostgresParameter(filter.runtime?.rawValue),
            PostgresParameter(filter.since?.microseconds), PostgresParameter(filter.until?.microseconds),
            PostgresParameter(uuid: filter.sandbox),
        ]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM executions WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT id, sandbox_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores, process_limit,
                    created_at AS created, started_at AS started,
                    completed_at AS completed, reason, signal, detail, exit_code, wall_us, cpu_us,
                    memory_peak, queue_us
                FROM executions WHERE \(condition) AND ($7::uuid IS NULL OR id < $7)
                ORDER BY id DESC LIMIT $8 OFFSET $9
                """,
                parameters + [
                    PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(
                items: try result.rows.map { row throws in
                    try readSummary(row, id: Identifier.text(.execution, uuid: try row.bytes("id")))
                }, total: try total.first?.integer("total") ?? 0)
        }
    }
}
