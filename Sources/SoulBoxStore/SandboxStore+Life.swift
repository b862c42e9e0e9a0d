internal import Postgres
public import SoulBoxModel

extension SandboxStore {
    /// Notes that a sandbox stands otherwise than before, with an event; false when it did not stand as one of `from`.
    @discardableResult
    public func move(
        _ id: [UInt8], from: [SandboxStatus], to status: SandboxStatus, event: String, reason: String? = nil
    ) throws -> Bool {
        try pool.withConnection { connection in
            try connection.run(
                """
                WITH moved AS (
                    UPDATE sandboxes SET status = $2, reason = $3, updated_at = now(),
                        started_at = CASE WHEN $2 = 'running' THEN now() END
                    WHERE id = $1 AND status = ANY ($4::text[]) RETURNING account_id)
                INSERT INTO sandbox_events (id, sandbox_id, account_id, event, reason)
                SELECT $5, $1, account_id, $6, $3 FROM moved
                """,
                [
                    .uuid(id), .text(status.rawValue), PostgresParameter(reason),
                    .textArray(from.map(\.rawValue)), .uuid(Identifier.makeUUID()), .text(event),
                ]
            ).changed == 1
        }
    }

    /// What came of the wish to delete a sandbox.
    public enum Deletion: Sendable, Equatable {
        /// From now on it is gone for its account.
        case begun(AccountSandbox)
        /// Executions run in it, that many.
        case busy(Int64)
        case notFound
    }

    /// Begins to delete a sandbox; without `force` only one in which nothing runs. Its snapshots
    /// go with it unless they are to be kept.
    public func beginDeletion(
        _ id: String, account: [UInt8], force: Bool, keepSnapshots: Bool = false, reason: String? = nil
    ) throws -> Deletion {
        guard let uuid = Identifier.parse(id, .sandbox) else { return .notFound }
        return try pool.withConnection { connection in
            try connection.transaction { connection in
                let row = try connection.run(
                    """
                    SELECT \(SandboxStore.columns),
                        (SELECT count(*) FROM executions e WHERE e.sandbox_id = s.id AND e.completed_at IS NULL) AS open
                    FROM sandboxes s WHERE s.id = $1 AND s.account_id = $2 AND s.status <> 'deleting' FOR UPDATE OF s
                    """, [.uuid(uuid), .uuid(account)]
                ).first
                guard let row else { return .notFound }
                let open = try row.integer("open")
                if open > 0, !force { return .busy(open) }
                let sandbox = try SandboxStore.read(row)
                try connection.run(
                    "UPDATE sandboxes SET status = 'deleting', reason = $2 WHERE id = $1",
                    [.uuid(uuid), PostgresParameter(reason)])
                if !keepSnapshots {
                    try connection.run(
                        "UPDATE snapshots SET status = 'deleting' WHERE sandbox_id = $1 AND account_id = $2",
                        [.uuid(uuid), .uuid(account)])
                }
                try note(uuid, account, "deleted", reason: reason, connection)
                return .begun(sandbox)
            }
        }
    }

    /// Forgets a sandbox of which nothing is left.
    public func finishDeletion(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run("DELETE FROM sandboxes WHERE id = $1 AND status = 'deleting'", [.uuid(id)])
        }
    }

    /// Something happened in a sandbox.
    public func touch(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run("UPDATE sandboxes SET last_activity = now() WHERE id = $1", [.uuid(id)])
        }
    }

    /// Sandboxes whose making or deletion nobody has ended for that many seconds.
    public func unsettled(olderThan seconds: Int) throws -> [(sandbox: AccountSandbox, isDeleting: Bool)] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT \(SandboxStore.columns), s.status = 'deleting' AS deleting FROM sandboxes s
                WHERE (s.status = 'deleting' OR s.status = 'creating' AND s.restore_status IS DISTINCT FROM 'restoring')
                    AND s.updated_at < now() - make_interval(secs => $1)
                ORDER BY s.id LIMIT 100
                """, [.integer(Int64(seconds))]
            ).rows.map { row throws(PostgresError) in (try SandboxStore.read(row), try row.bool("deleting")) }
        }
    }

    /// Sandboxes whose time is over.
    public func expired() throws -> [AccountSandbox] {
        try select("s.expires_at <= now() AND s.status <> 'deleting'")
    }

    /// Running sandboxes in which nothing has happened for longer than they want.
    public func idle() throws -> [AccountSandbox] {
        try select(
            """
            s.idle_seconds IS NOT NULL AND s.status = 'running'
            AND s.last_activity <= now() - make_interval(secs => s.idle_seconds)
            AND NOT EXISTS (SELECT FROM executions e WHERE e.sandbox_id = s.id AND e.completed_at IS NULL)
            """)
    }

    func select(_ condition: String) throws -> [AccountSandbox] {
        try pool.withConnection { connection in
            try connection.run(
                "SELECT \(SandboxStore.columns) FROM sandboxes s WHERE \(condition) ORDER BY s.id LIMIT 100"
            ).rows.map(SandboxStore.read)
        }
    }

    /// Those of the sandboxes with these identifiers that exist, also those that are being deleted, by identifier.
    public func known(_ ids: [[UInt8]]) throws -> [[UInt8]: AccountSandbox] {
        let texts = ids.map { bytes in bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined() }
        return try pool.withConnection { connection in
            let rows = try connection.run(
                "SELECT \(SandboxStore.columns) FROM sandboxes s WHERE s.id = ANY ($1::uuid[])", [.textArray(texts)]
            ).rows.map(SandboxStore.read)
            return Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
        }
    }

    /// Sandboxes that are noted as running or paused, after an identifier.
    public func running(after id: [UInt8]?, limit: Int) throws -> [AccountSandbox] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT \(SandboxStore.columns) FROM sandboxes s
                WHERE s.status IN ('running', 'paused') AND ($1::uuid IS NULL OR s.id > $1) ORDER BY s.id LIMIT $2
                """, [PostgresParameter(uuid: id), PostgresParameter(limit)]
            ).rows.map(SandboxStore.read)
        }
    }

    /// Deletes events that are older than that many days, a bounded number at a time. Returns how many.
    public func expireEvents(days: Int) throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                DELETE FROM sandbox_events WHERE id IN (
                    SELECT id FROM sandbox_events WHERE at < now() - make_interval(days => $1) LIMIT 1000)
                """, [.integer(Int64(days))]
            ).changed
        }
    }
}
