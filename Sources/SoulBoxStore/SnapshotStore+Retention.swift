internal import Postgres
internal import SoulBoxModel

extension SnapshotStore {
    /// How long it is told why one failed, in days.
    private static let failedDays = 30

    /// Begins to delete what is not kept any longer. One that others are incremental to, or that is being restored, stays until
    /// they are gone.
    ///
    /// - Parameters:
    ///   - days: How long one is kept; 0 is for ever.
    ///   - count: How many of each sandbox are, the newest ones; 0 is all.
    /// - Returns: How many go.
    public func expire(days: Int, perSandbox count: Int) throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE snapshots p SET status = 'deleting'
                FROM (
                    SELECT id, status, finished_at,
                        row_number() OVER (PARTITION BY account_id, sandbox_id, status ORDER BY id DESC) AS rank
                    FROM snapshots WHERE status IN ('completed', 'failed')) r
                WHERE r.id = p.id AND p.status = r.status AND CASE r.status
                        WHEN 'failed' THEN r.finished_at < now() - make_interval(days => $3)
                        ELSE ($1 > 0 AND r.finished_at < now() - make_interval(days => $1)) OR ($2 > 0 AND r.rank > $2)
                    END
                    AND NOT EXISTS (
                        SELECT FROM snapshots c WHERE c.parent_id = p.id AND \(SnapshotStore.needsParent))
                    AND NOT EXISTS (
                        SELECT FROM sandboxes s WHERE s.restore_snapshot = p.id AND s.restore_status = 'restoring')
                """,
                [PostgresParameter(days), PostgresParameter(count), PostgresParameter(SnapshotStore.failedDays)]
            ).changed
        }
    }

    /// Notes that those were completed, and that the isolation service does not have them any more.
    public func noteLost(_ lost: [AccountSnapshot]) throws {
        try pool.withConnection { connection in
            for snapshot in lost {
                try connection.run(
                    "UPDATE snapshots SET status = 'failed', error = 'its files are gone' WHERE id = $1 AND status = 'completed'",
                    [.uuid(snapshot.id)])
            }
        }
    }

    /// All that are completed.
    public func completed() throws -> [AccountSnapshot] {
        try pool.withConnection { connection in
            try connection.run("SELECT \(SnapshotStore.columns) FROM snapshots p WHERE p.status = 'completed'").rows
                .map(SnapshotStore.read)
        }
    }

    /// How each stands that the database knows, by identifier.
    public func statuses() throws -> [String: AccountSnapshot.Status] {
        try pool.withConnection { connection in
            let rows = try connection.run("SELECT \(SnapshotStore.columns) FROM snapshots p").rows
                .map(SnapshotStore.read)
            return Dictionary(rows.map { ($0.identifier, $0.status) }) { first, _ in first }
        }
    }
}
