internal import Postgres
internal import SoulBoxModel

extension SnapshotStore {
    /// How long a snapshot stays with the process that takes it since that said last that it goes on, in seconds.
    public static let leaseSeconds = 15

    /// Where the database tells of snapshots that can be taken (LISTEN).
    public static let channel = "soulbox_snapshots"

    /// How often one is begun whose process died.
    public static let attempts = 3

    /// What came of the wish to delete a snapshot.
    public enum Deletion: Sendable, Equatable {
        case begun(AccountSnapshot)
        /// It is being taken.
        case creating
        /// That many are incremental to it.
        case needed(Int64)
        /// That many sandboxes are becoming what it holds.
        case restoring(Int64)
        case notFound
    }

    /// Takes the one that waits longest, or one whose process has ended, of a sandbox of which none is being taken. No two
    /// schedulers take the same.
    public func take(process: [UInt8]) throws -> AccountSnapshot? {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE snapshots SET status = 'failed', owner = NULL, leased_until = NULL, finished_at = now(),
                    error = 'the process that took it ended, again and again'
                WHERE status = 'creating' AND leased_until < now() AND attempts >= $1
                """, [PostgresParameter(SnapshotStore.attempts)])
            return try connection.run(
                """
                UPDATE snapshots p SET owner = $1, attempts = attempts + 1,
                    leased_until = now() + make_interval(secs => $2), started_at = now()
                WHERE p.id = (
                    SELECT w.id FROM snapshots w
                    WHERE w.status = 'creating' AND (w.leased_until IS NULL OR w.leased_until < now())
                        AND NOT EXISTS (
                            SELECT FROM snapshots o WHERE o.sandbox_id = w.sandbox_id AND o.status = 'creating'
                                AND o.leased_until >= now())
                    ORDER BY w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING \(SnapshotStore.columns)
                """, [.uuid(process), PostgresParameter(SnapshotStore.leaseSeconds)]
            ).first.map(SnapshotStore.read)
        }
    }

    /// Says that one goes on, how far it is, and so when it will be whole; false when it is somebody else's by now.
    public func extend(_ snapshot: AccountSnapshot, process: [UInt8], done: Int64, total: Int64) throws -> Bool {
        try change(
            snapshot, process,
            """
            leased_until = now() + make_interval(secs => \(SnapshotStore.leaseSeconds)), done_bytes = $4::bigint,
            total_bytes = $5::bigint,
            estimated_at = CASE WHEN $4::bigint > 0
                THEN now() + (now() - started_at) * (greatest($5::bigint - $4::bigint, 0)::float8 / $4::bigint)
                ELSE greatest(estimated_at, now()) END
            """, [.integer(done), .integer(total)])
    }

    /// Notes that one is whole, and how many bytes that took.
    public func finish(
        _ snapshot: AccountSnapshot, process: [UInt8], size: Int64, disk: Int64, pause: Int64, total: Int64
    ) throws -> Bool {
        try change(
            snapshot, process,
            """
            status = 'completed', owner = NULL, leased_until = NULL, finished_at = now(), size_bytes = $4,
            disk_bytes = $5, pause_us = $6, done_bytes = $7::bigint, total_bytes = $7::bigint
            """, [.integer(size), .integer(disk), .integer(pause), .integer(total)])
    }

    /// Notes that one cannot be taken.
    @discardableResult
    public func fail(_ snapshot: AccountSnapshot, process: [UInt8], reason: String) throws -> Bool {
        try change(
            snapshot, process,
            "status = 'failed', owner = NULL, leased_until = NULL, finished_at = now(), error = $4", [.text(reason)])
    }

    private func change(
        _ snapshot: AccountSnapshot, _ process: [UInt8], _ assignments: String, _ more: [PostgresParameter]
    ) throws -> Bool {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE snapshots SET \(assignments)
                WHERE id = $1 AND owner = $2 AND attempts = $3 AND status = 'creating'
                """, [.uuid(snapshot.id), .uuid(process), PostgresParameter(snapshot.attempts)] + more
            ).changed == 1
        }
    }

    /// Begins to delete a snapshot.
    public func beginDeletion(_ id: String, account: [UInt8]) throws -> Deletion {
        guard let uuid = Identifier.parse(id, .snapshot) else { return .notFound }
        return try pool.withConnection { connection in
            try connection.transaction { connection in
                let found = try connection.run(
                    """
                    SELECT \(SnapshotStore.columns) FROM snapshots p WHERE p.id = $1 AND p.account_id = $2 FOR UPDATE
                    """, [.uuid(uuid), .uuid(account)]
                ).first.map(SnapshotStore.read)
                guard let found else { return .notFound }
                if found.status == .creating { return .creating }
                // Apart from the lock: it must see what was noted while the lock was waited for.
                let needed = try connection.run(
                    """
                    SELECT count(*) AS needed FROM snapshots c
                    WHERE c.parent_id = $1 AND c.status <> 'deleting' AND \(SnapshotStore.needsParent)
                    """, [.uuid(uuid)]
                ).first?.integer("needed")
                if let needed, needed > 0 { return .needed(needed) }
                let restoring = try connection.run(
                    """
                    SELECT count(*) AS restoring FROM sandboxes
                    WHERE restore_snapshot = $1 AND restore_status = 'restoring' AND status <> 'deleting'
                    """, [.uuid(uuid)]
                ).first?.integer("restoring")
                if let restoring, restoring > 0 { return .restoring(restoring) }
                try connection.run("UPDATE snapshots SET status = 'deleting' WHERE id = $1", [.uuid(uuid)])
                return .begun(found)
            }
        }
    }

    /// Those that are to be removed, without those that others still are incremental to, or that are being restored.
    public func deleting() throws -> [AccountSnapshot] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT \(SnapshotStore.columns) FROM snapshots p WHERE p.status = 'deleting'
                    AND NOT EXISTS (
                        SELECT FROM snapshots c WHERE c.parent_id = p.id AND \(SnapshotStore.needsParent))
                    AND NOT EXISTS (
                        SELECT FROM sandboxes s WHERE s.restore_snapshot = p.id AND s.restore_status = 'restoring')
                ORDER BY p.id LIMIT 100
                """
            ).rows.map(SnapshotStore.read)
        }
    }

    /// One that failed has no files that its parent's would be needed for, and goes with that; but for one that others are
    /// incremental to.
    static let needsParent = """
        (c.status <> 'failed' OR EXISTS (SELECT FROM snapshots g WHERE g.parent_id = c.id))
        """

    /// Forgets one of which nothing is left.
    public func finishDeletion(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                WITH gone AS (
                    SELECT p.id FROM snapshots p WHERE p.id = $1 AND p.status = 'deleting' AND NOT EXISTS (
                        SELECT FROM snapshots c WHERE c.parent_id = p.id AND \(SnapshotStore.needsParent))),
                failed AS (DELETE FROM snapshots f USING gone WHERE f.parent_id = gone.id)
                DELETE FROM snapshots p USING gone WHERE p.id = gone.id
                """, [.uuid(id)])
        }
    }
}
