internal import Postgres
internal import SoulBoxModel

extension SnapshotStore {
    /// How long a snapshot stays with the process that takes it since that said last that it goes on, in seconds.
    public static let leaseSeconds = 30

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

    /// Takes the one that waits longest, or one whose process has ended. No two schedulers take the same.
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
                    ORDER BY w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING \(SnapshotStore.columns)
                """, [.uuid(process), PostgresParameter(SnapshotStore.leaseSeconds)]
            ).first.map(SnapshotStore.read)
        }
    }

    /// Says that one goes on, and how far it is; false when it is somebody else's by now.
    public func extend(_ snapshot: AccountSnapshot, process: [UInt8], done: Int64, total: Int64) throws -> Bool {
        try change(
            snapshot, process,
            "leased_until = now() + make_interval(secs => \(SnapshotStore.leaseSeconds)), done_bytes = $4, total_bytes = $5",
            [.integer(done), .integer(total)])
    }

    /// Notes that one is whole.
    public func finish(
        _ snapshot: AccountSnapshot, process: [UInt8], size: Int64, disk: Int64, pause: Int64
    ) throws -> Bool {
        try change(
            snapshot, process,
            """
            status = 'completed', owner = NULL, leased_until = NULL, finished_at = now(), size_bytes = $4,
            disk_bytes = $5, pause_us = $6
            """, [.integer(size), .integer(disk), .integer(pause)])
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
                    "SELECT count(*) AS needed FROM snapshots WHERE parent_id = $1 AND status <> 'deleting'",
                    [.uuid(uuid)]
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
                    AND NOT EXISTS (SELECT FROM snapshots c WHERE c.parent_id = p.id)
                    AND NOT EXISTS (
                        SELECT FROM sandboxes s WHERE s.restore_snapshot = p.id AND s.restore_status = 'restoring')
                ORDER BY p.id LIMIT 100
                """
            ).rows.map(SnapshotStore.read)
        }
    }

    /// Forgets one of which nothing is left.
    public func finishDeletion(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                DELETE FROM snapshots p WHERE p.id = $1 AND p.status = 'deleting'
                    AND NOT EXISTS (SELECT FROM snapshots c WHERE c.parent_id = p.id)
                """, [.uuid(id)])
        }
    }
}
