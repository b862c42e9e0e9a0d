public import Postgres
internal import SoulBoxModel

/// The snapshots in the database. Every statement for a caller names the account.
public struct SnapshotStore: Sendable {
    static let columns = """
        p.id, p.account_id, p.sandbox_id, p.name, p.description, p.type, p.parent_id, p.compress, p.memory, p.tags,
        p.status, p.error, p.done_bytes, p.total_bytes, p.size_bytes, p.disk_bytes, p.pause_us, p.attempts,
        p.created_at AS created, p.estimated_at AS estimated, p.finished_at AS finished
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Why a snapshot was not noted.
    public enum Refusal: Error, Sendable, Equatable {
        /// A quota of the account is used up: `snapshots` or `snapshot_bytes`.
        case quota(String)
        /// There is nothing that it could be incremental to.
        case noParent
        /// Its sandbox is gone.
        case noSandbox
    }

    /// Notes a snapshot that is to be taken, within the account's quotas, and what its sandbox is at this moment.
    ///
    /// When it will be whole is told by the rate of the last twenty (200 MB/s before there is any) and by what the sandbox's last
    /// one took; a first one by its limits, as if half of them were used. Every byte counts twice, read and read again.
    public func create(
        _ snapshot: AccountSnapshot, in transaction: StoreTransaction
    ) throws -> Result<AccountSnapshot, Refusal> {
        if let quota = try usedUp(snapshot.accountID, transaction.connection) { return .failure(.quota(quota)) }
        var parent: [UInt8]?
        if snapshot.form == .incremental {
            // Locked: it is not deleted between the two.
            parent = try transaction.connection.run(
                """
                SELECT id FROM snapshots WHERE account_id = $1 AND sandbox_id = $2 AND status = 'completed'
                    AND ($3::uuid IS NULL OR id = $3) ORDER BY id DESC LIMIT 1 FOR UPDATE
                """, [.uuid(snapshot.accountID), .uuid(snapshot.sandboxID), PostgresParameter(uuid: snapshot.parentID)]
            ).first?.bytes("id")
            if parent == nil { return .failure(.noParent) }
        }
        let noted = try transaction.connection.run(
            """
            INSERT INTO snapshots AS p (
                id, account_id, sandbox_id, name, description, type, parent_id, compress, memory, tags, disk_bytes,
                created_at, estimated_at, runtime, template, template_version, memory_bytes, cpu_millicores,
                process_limit, network_enabled, allowed_hosts, environment, ttl_seconds, idle_seconds, on_idle)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, s.disk_bytes, from_microseconds($11::bigint),
                from_microseconds($11::bigint) + make_interval(secs => 0.5 + coalesce((
                    SELECT o.total_bytes FROM snapshots o WHERE o.sandbox_id = s.id AND o.status = 'completed'
                        AND o.memory = $9 AND o.total_bytes > 0 ORDER BY o.id DESC LIMIT 1),
                    s.disk_bytes + CASE WHEN $9 THEN s.memory_bytes ELSE 0 END) / coalesce((
                    SELECT sum(r.total_bytes) / nullif(sum(extract(epoch FROM r.finished_at - r.started_at)), 0) FROM (
                        SELECT * FROM snapshots WHERE status = 'completed' AND compress = $8 AND total_bytes > 0
                        ORDER BY id DESC LIMIT 20) r), 2e8)::float8),
                s.runtime, s.template, s.template_version, s.memory_bytes, s.cpu_millicores, s.process_limit,
                s.network_enabled, s.allowed_hosts, s.environment, s.ttl_seconds, s.idle_seconds, s.on_idle
            FROM sandboxes s WHERE s.id = $3 AND s.account_id = $2 AND s.status <> 'deleting'
            RETURNING \(SnapshotStore.columns)
            """,
            [
                .uuid(snapshot.id), .uuid(snapshot.accountID), .uuid(snapshot.sandboxID), .text(snapshot.name),
                .text(snapshot.description), .text(snapshot.form.rawValue), PostgresParameter(uuid: parent),
                .bool(snapshot.isCompressed), .bool(snapshot.includesMemory),
                .text(JSONValue.object(snapshot.tags).text), .integer(snapshot.createdAt.microseconds),
            ]
        ).first.map(SnapshotStore.read)
        guard let noted else { return .failure(.noSandbox) }
        // Told when the transaction ends well.
        try transaction.connection.run("SELECT pg_notify($1, '')", [.text(SnapshotStore.channel)])
        return .success(noted)
    }

    /// Which quota stands against one more; the account's row is locked, so that counting and noting are one act.
    private func usedUp(_ account: [UInt8], _ connection: PostgresConnection) throws(PostgresError) -> String? {
        let row = try connection.run(
            "SELECT snapshots_quota, snapshot_bytes_quota FROM accounts WHERE id = $1 FOR NO KEY UPDATE",
            [.uuid(account)]
        ).first
        guard let row else { throw PostgresError(.decoding, "no account") }
        let (count, bytes) = (
            try row.optionalInteger("snapshots_quota"), try row.optionalInteger("snapshot_bytes_quota")
        )
        guard count != nil || bytes != nil else { return nil }
        let used = try connection.run(
            """
            SELECT count(*) AS snapshots, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM snapshots
            WHERE account_id = $1 AND status <> 'failed'
            """, [.uuid(account)]
        ).first
        guard let used else { throw PostgresError(.decoding, "no count") }
        if let count, try used.integer("snapshots") >= count { return "snapshots" }
        if let bytes, try used.integer("bytes") >= bytes { return "snapshot_bytes" }
        return nil
    }

    /// A snapshot of that account.
    public func find(_ id: String, account: [UInt8]) throws -> AccountSnapshot? {
        guard let uuid = Identifier.parse(id, .snapshot) else { return nil }
        return try pool.withConnection { connection in
            try connection.run(
                "SELECT \(SnapshotStore.columns) FROM snapshots p WHERE p.id = $1 AND p.account_id = $2",
                [.uuid(uuid), .uuid(account)]
            ).first.map(SnapshotStore.read)
        }
    }

    /// Snapshots of that account, the newest first.
    ///
    /// - Parameter tag: Only those that have it.
    public func list(
        account: [UInt8], sandbox: [UInt8]?, status: AccountSnapshot.Status?, form: AccountSnapshot.Form?,
        tag: (name: String, value: String)? = nil, page: Page
    ) throws -> Listing<AccountSnapshot> {
        let condition = """
            p.account_id = $1 AND ($2::uuid IS NULL OR p.sandbox_id = $2) AND ($3::text IS NULL OR p.status = $3)
            AND ($4::text IS NULL OR p.type = $4) AND ($5::text IS NULL OR p.tags::jsonb ->> $5 = $6)
            """
        let parameters: [PostgresParameter] = [
            .uuid(account), PostgresParameter(uuid: sandbox), PostgresParameter(status?.rawValue),
            PostgresParameter(form?.rawValue), PostgresParameter(tag?.name), PostgresParameter(tag?.value),
        ]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM snapshots p WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT \(SnapshotStore.columns) FROM snapshots p WHERE \(condition) AND ($7::uuid IS NULL OR p.id < $7)
                ORDER BY p.id DESC LIMIT $8 OFFSET $9
                """,
                parameters + [
                    PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(
                items: try result.rows.map(SnapshotStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    static func read(_ row: PostgresRow) throws(PostgresError) -> AccountSnapshot {
        guard let form = AccountSnapshot.Form(rawValue: try row.text("type")),
            let status = AccountSnapshot.Status(rawValue: try row.text("status")),
            let tags = (try? JSONParser.parse(Array(try row.text("tags").utf8)))?.objectValue
        else { throw PostgresError(.decoding, "unreadable snapshot") }
        var snapshot = AccountSnapshot(
            accountID: try row.bytes("account_id"), sandboxID: try row.bytes("sandbox_id"), name: try row.text("name"),
            diskBytes: try row.integer("disk_bytes"))
        snapshot.id = try row.bytes("id")
        snapshot.description = try row.text("description")
        snapshot.form = form
        snapshot.parentID = try row.optionalBytes("parent_id")
        snapshot.isCompressed = try row.bool("compress")
        snapshot.includesMemory = try row.bool("memory")
        snapshot.tags = tags
        snapshot.status = status
        snapshot.error = try row.optionalText("error")
        snapshot.doneBytes = try row.integer("done_bytes")
        snapshot.totalBytes = try row.integer("total_bytes")
        snapshot.sizeBytes = try row.optionalInteger("size_bytes")
        snapshot.pauseMicroseconds = try row.optionalInteger("pause_us")
        snapshot.createdAt = Timestamp(microseconds: try row.microseconds("created"))
        snapshot.estimatedAt = Timestamp(microseconds: try row.microseconds("estimated"))
        snapshot.finishedAt = try row.optionalMicroseconds("finished").map(Timestamp.init(microseconds:))
        snapshot.attempts = Int(try row.integer("attempts"))
        return snapshot
    }
}
