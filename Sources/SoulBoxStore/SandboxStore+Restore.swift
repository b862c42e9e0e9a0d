internal import Postgres
public import SoulBoxModel

extension SandboxStore {
    /// How long a restore stays with the process that carries it out since that said last that it goes on, in seconds.
    private static let leaseSeconds = 20

    /// Notes that a sandbox is to become what a snapshot holds. Its own state goes on until then.
    public func beginRestore(
        _ restore: SandboxRestore, into sandbox: AccountSandbox, in transaction: StoreTransaction
    ) throws {
        try transaction.connection.run(
            """
            UPDATE sandboxes SET status = 'creating', reason = NULL, updated_at = now(), last_activity = now(),
                restore_id = $2, restore_snapshot = $3, restore_memory = $4, restore_network = $5,
                restore_status = 'restoring', restore_error = NULL, restore_requested_at = from_microseconds($6),
                restore_finished_at = NULL, restore_owner = NULL, restore_until = NULL
            WHERE id = $1
            """,
            [
                .uuid(sandbox.id), .uuid(restore.id), .uuid(restore.snapshotID), .bool(restore.includesMemory),
                .bool(restore.takesNetwork), .integer(restore.requestedAt.microseconds),
            ])
        try note(sandbox.id, sandbox.accountID, "restoring", reason: restore.snapshot, transaction.connection)
    }

    /// Takes a restore that nobody carries out, and gives the sandbox as it is to be; nil when it is somebody else's or over.
    public func takeRestore(_ restore: SandboxRestore, of sandbox: [UInt8], owner: [UInt8]) throws -> AccountSandbox? {
        try pool.withConnection { connection in
            let row = try connection.run(
                """
                UPDATE sandboxes s SET restore_owner = $3, restore_until = now() + make_interval(secs => $4)
                FROM snapshots p
                WHERE s.id = $1 AND s.restore_id = $2 AND s.status = 'creating' AND s.restore_status = 'restoring'
                    AND (s.restore_until IS NULL OR s.restore_until < now()) AND p.id = s.restore_snapshot
                RETURNING \(SandboxStore.columns),
                    coalesce(p.network_enabled, s.network_enabled) AS taken_enabled,
                    coalesce(p.allowed_hosts, s.allowed_hosts) AS taken_hosts
                """,
                [.uuid(sandbox), .uuid(restore.id), .uuid(owner), PostgresParameter(SandboxStore.leaseSeconds)]
            ).first
            guard let row else { return nil }
            var taken = try SandboxStore.read(row)
            if restore.takesNetwork {
                taken.networkEnabled = try row.bool("taken_enabled")
                taken.allowedHosts = try row.textArray("taken_hosts")
            }
            return taken
        }
    }

    /// Says that a restore goes on; false when it is somebody else's by now.
    public func extendRestore(_ restore: SandboxRestore, of sandbox: [UInt8], owner: [UInt8]) throws -> Bool {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE sandboxes SET restore_until = now() + make_interval(secs => $4)
                WHERE id = $1 AND restore_id = $2 AND restore_owner = $3 AND restore_status = 'restoring'
                """,
                [.uuid(sandbox), .uuid(restore.id), .uuid(owner), PostgresParameter(SandboxStore.leaseSeconds)]
            ).changed == 1
        }
    }

    /// Lets go of a restore that could not be begun: whoever looks next takes it.
    public func releaseRestore(_ restore: SandboxRestore, of sandbox: [UInt8], owner: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                UPDATE sandboxes SET restore_owner = NULL, restore_until = NULL
                WHERE id = $1 AND restore_id = $2 AND restore_owner = $3 AND restore_status = 'restoring'
                """, [.uuid(sandbox), .uuid(restore.id), .uuid(owner)])
        }
    }

    /// Notes that a sandbox is what the snapshot held; false when it was deleted meanwhile, or that is noted already.
    public func finishRestore(_ restore: SandboxRestore, of sandbox: [UInt8]) throws -> Bool {
        try pool.withConnection { connection in
            try connection.run(
                """
                WITH restored AS (
                    UPDATE sandboxes s SET status = 'running', reason = NULL, started_at = now(), updated_at = now(),
                        last_activity = now(), restore_status = 'completed', restore_finished_at = now(),
                        restore_owner = NULL, restore_until = NULL, runtime = coalesce(p.runtime, s.runtime),
                        template = coalesce(p.template, s.template),
                        template_version = CASE WHEN p.template IS NULL THEN s.template_version
                            ELSE p.template_version END,
                        network_enabled = CASE WHEN s.restore_network THEN coalesce(p.network_enabled, s.network_enabled)
                            ELSE s.network_enabled END,
                        allowed_hosts = CASE WHEN s.restore_network THEN coalesce(p.allowed_hosts, s.allowed_hosts)
                            ELSE s.allowed_hosts END
                    FROM snapshots p
                    WHERE s.id = $1 AND s.restore_id = $2 AND s.status = 'creating'
                        AND s.restore_status = 'restoring' AND p.id = s.restore_snapshot
                    RETURNING s.account_id)
                INSERT INTO sandbox_events (id, sandbox_id, account_id, event, reason)
                SELECT $3, $1, account_id, 'restored', $4 FROM restored
                """,
                [.uuid(sandbox), .uuid(restore.id), .uuid(Identifier.makeUUID()), .text(restore.snapshot)]
            ).changed == 1
        }
    }

    /// Notes that a restore came to nothing, and how the sandbox stands now.
    public func failRestore(
        _ restore: SandboxRestore, of sandbox: [UInt8], status: SandboxStatus, reason: String?, error: String
    ) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                WITH failed AS (
                    UPDATE sandboxes SET status = $3, reason = $4, updated_at = now(), restore_status = 'failed',
                        restore_error = $5, restore_finished_at = now(), restore_owner = NULL, restore_until = NULL,
                        started_at = CASE WHEN $3 = 'running' THEN coalesce(started_at, now()) END
                    WHERE id = $1 AND restore_id = $2 AND status = 'creating' AND restore_status = 'restoring'
                    RETURNING account_id)
                INSERT INTO sandbox_events (id, sandbox_id, account_id, event, reason)
                SELECT $6, $1, account_id, 'restore_failed', $5 FROM failed
                """,
                [
                    .uuid(sandbox), .uuid(restore.id), .text(status.rawValue), PostgresParameter(reason), .text(error),
                    .uuid(Identifier.makeUUID()),
                ])
        }
    }

    /// Restores that nobody carries out, for a few seconds or since their process died.
    public func pendingRestores() throws -> [AccountSandbox] {
        try select(
            """
            s.status = 'creating' AND s.restore_status = 'restoring' AND CASE WHEN s.restore_until IS NULL
                THEN s.updated_at < now() - interval '2 seconds' ELSE s.restore_until < now() END
            """)
    }

    /// Notes that a sandbox was not paused for being idle, and lets it be for as long again.
    public func notePauseFailure(_ sandbox: AccountSandbox, reason: String) throws {
        try pool.withConnection { connection in
            try connection.transaction { connection in
                try connection.run("UPDATE sandboxes SET last_activity = now() WHERE id = $1", [.uuid(sandbox.id)])
                try note(sandbox.id, sandbox.accountID, "pause_failed", reason: reason, connection)
            }
        }
    }
}
