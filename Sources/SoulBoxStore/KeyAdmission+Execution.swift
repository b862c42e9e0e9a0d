internal import Postgres
internal import SoulBoxModel

extension KeyAdmission {
    /// What `admit_execution()` does for an execution that needs nothing else of the database, as one statement: one in a sandbox of
    /// its own, without an Idempotency-Key, of an account without quotas that have to be counted.
    ///
    /// The key is looked at, the request counted if the key has a limit, the execution noted if key and limit allow it, and with it
    /// the audit log; all or nothing. An account with such a quota gets a row that says so, and nothing is done.
    private static let noteExecution = """
        WITH k AS (
            SELECT \(columns), 'execute' = ANY (k.permissions) OR 'admin' = ANY (k.permissions) AS may,
                a.concurrent_executions_quota IS NULL AND a.cpu_seconds_quota IS NULL AS is_free
            FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE \(isGood)),
        c AS (
            \(count("SELECT $1, $3, \(minute), 1 FROM k WHERE is_free AND allowed > 0"))),
        e AS (
            INSERT INTO executions (
                id, account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores, process_limit,
                owner, created_at)
            SELECT $4, account, $1, 'queued', $5, $6, $7, $8, $9, $10, $11, from_microseconds($12)
            FROM k LEFT JOIN c ON true WHERE is_free AND may AND (allowed <= 0 OR c.count <= allowed)
            RETURNING id, account_id),
        l AS (
            INSERT INTO audit_log (id, account_id, key_id, request_id, address, method, path, status)
            SELECT id, account_id, $1, $13, $14::inet, 'POST', $15, 200 FROM e)
        -- Nothing has been promised before the answer, whose own commit makes this one durable too.
        SELECT k.*, c.count, c.minute, set_config('synchronous_commit', 'off', true) FROM k LEFT JOIN c ON true
        """

    /// Whether an execution is of that kind.
    static func serves(_ ticket: Ticket, _ execution: NewExecution) -> Bool {
        serves(ticket) && ticket.permission == .execute && ticket.rateClass == .execution && execution.owner != nil
            && execution.idempotency == nil && execution.spec.sandbox == nil && execution.spec.context == nil
    }

    /// Admits and notes an execution; nil when `admit_execution()` has to be asked.
    static func admission(
        _ ticket: Ticket, new execution: NewExecution, id: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> Admission? {
        let spec = execution.spec
        let result = try connection.run(
            noteExecution,
            parameters(ticket) + [
                .uuid(id), .text(spec.runtime.rawValue), .text(spec.template),
                PostgresParameter(spec.limits.timeoutMilliseconds), .integer(spec.limits.memoryBytes),
                PostgresParameter(spec.limits.cpuMillicores), PostgresParameter(spec.limits.processes),
                PostgresParameter(uuid: execution.owner), .integer(execution.createdAt.microseconds),
                .text(ticket.requestID), ticket.addressParameter, .text(execution.path),
            ])
        guard let row = result.first, try row.bool("is_free") else { return nil }
        return try admission(row, counted: row, ticket, connection)
    }
}
