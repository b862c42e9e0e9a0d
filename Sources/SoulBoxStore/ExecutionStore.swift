public import Postgres
internal import SoulBoxModel

/// The executions in the database. Every statement names the account, or the process that owns the execution.
public struct ExecutionStore: Sendable {
    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    private static let admitKey = "SELECT \(KeyAdmission.columns) FROM api_keys k WHERE \(KeyAdmission.isGood)"

    /// Admits a request that needs nothing else of the database.
    public func admit(_ ticket: Ticket) throws -> Admission {
        try pool.withConnection { connection in
            if KeyAdmission.serves(ticket),
                let row = try connection.run(ExecutionStore.admitKey, KeyAdmission.parameters(ticket)).first
            {
                return try KeyAdmission.admission(row, ticket, connection)
            }
            let result = try connection.run("SELECT * FROM \(Ticket.call)", ticket.parameters)
            guard let row = result.first else { throw PostgresError(.decoding, "no admission") }
            return try ticket.admission(row)
        }
    }

    /// Admits a request to execute and notes the execution, both or neither, in one round trip.
    public func admit(_ ticket: Ticket, new execution: NewExecution) throws -> Admission {
        guard let id = Identifier.parse(execution.id, .execution) else {
            throw PostgresError(.statement, "malformed identifier")
        }
        let spec = execution.spec
        // Nothing has been promised before the answer, whose own commit makes this one durable too; what waits for the
        // scheduler is promised at once.
        let durability = execution.owner == nil ? "" : ", set_config('synchronous_commit', 'off', true)"
        return try pool.withConnection { connection in
            if KeyAdmission.serves(ticket, execution),
                let admission = try KeyAdmission.admission(ticket, new: execution, id: id, connection)
            {
                return admission
            }
            let result = try connection.run(
                """
                SELECT a.* FROM admit_execution(
                    $1, $2, $3::text[], $4::inet, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) a
                    \(durability)
                """,
                [
                    .uuid(ticket.credential.keyID), PostgresParameter(bytes: ticket.credential.secretHash),
                    ticket.onlyParameter, ticket.addressParameter, PostgresParameter(uuid: ticket.acting), .uuid(id),
                    .text(spec.runtime.rawValue), .text(spec.template),
                    PostgresParameter(spec.limits.timeoutMilliseconds),
                    .integer(spec.limits.memoryBytes), PostgresParameter(spec.limits.cpuMillicores),
                    PostgresParameter(spec.limits.processes),
                    // Only a scheduler needs to read it back. NUL, which `text` cannot hold, is escaped in JSON.
                    execution.owner == nil ? .text(spec.storage.text) : .null, PostgresParameter(uuid: execution.owner),
                    .integer(execution.createdAt.microseconds), .text(ticket.requestID), .text(execution.path),
                    PostgresParameter(execution.idempotency?.key),
                    PostgresParameter(bytes: execution.idempotency?.requestHash),
                    PostgresParameter(uuid: spec.sandbox.flatMap { Identifier.parse($0, .sandbox) }),
                    PostgresParameter(spec.context),
                ])
            guard let row = result.first else { throw PostgresError(.decoding, "no admission") }
            return try ticket.admission(row)
        }
    }

    /// Forgets what an Idempotency-Key stands for, so that the request can be tried again.
    public func forget(_ idempotency: Idempotency, account: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                "DELETE FROM idempotency_keys WHERE account_id = $1 AND key = $2 AND request_hash = $3",
                [.uuid(account), .text(idempotency.key), .bytes(idempotency.requestHash)])
        }
    }

    /// Takes back an execution of that process that has not begun, with its Idempotency-Key: whoever asked for it was
    /// told that nothing happened, and may ask again.
    public func abandon(_ id: String, process: [UInt8]) throws {
        guard let uuid = Identifier.parse(id, .execution) else { return }
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                WITH gone AS (
                    DELETE FROM executions WHERE id = $1 AND owner = $2 AND status = 'queued' RETURNING account_id)
                DELETE FROM idempotency_keys i USING gone
                WHERE i.account_id = gone.account_id AND i.execution_id = $1
                """, [.uuid(uuid), .uuid(process)])
        }
    }

    /// Notes that the program began; false when the execution was cancelled or lost before.
    public func markRunning(_ id: String, process: [UInt8]) throws -> Bool {
        guard let uuid = Identifier.parse(id, .execution) else { return false }
        return try pool.withConnection { connection in
            try connection.run(
                "UPDATE executions SET status = 'running', started_at = now() WHERE id = $1 AND owner = $2 AND status = 'queued'",
                [.uuid(uuid), .uuid(process)]
            ).changed == 1
        }
    }

    /// Cancels an execution that waits, and tells how another stands.
    public func requestCancel(_ id: String, account: [UInt8]) throws -> CancelResult {
        guard let uuid = Identifier.parse(id, .execution) else { return .notFound }
        return try pool.withConnection { connection in
            let cancelled = try connection.run(
                """
                UPDATE executions SET status = 'cancelled', reason = 'cancelled', completed_at = now(), spec = NULL
                WHERE id = $1 AND account_id = $2 AND status = 'queued'
                """, [.uuid(uuid), .uuid(account)])
            if cancelled.changed == 1 { return .cancelledBeforeStart }
            let result = try connection.run(
                "SELECT status, owner FROM executions WHERE id = $1 AND account_id = $2", [.uuid(uuid), .uuid(account)])
            guard let row = result.first else { return .notFound }
            guard let status = ExecutionStatus(rawValue: try row.text("status")) else {
                throw PostgresError(.decoding, "unknown status")
            }
            return status.isFinal ? .finished(status) : .running(owner: try row.optionalBytes("owner"))
        }
    }
}
