public import Postgres
internal import SoulBoxModel

/// The accounts.
public struct AccountStore: Sendable {
    private static let columns = """
        a.id, a.name, a.created_at AS created, a.concurrent_executions_quota, a.sandboxes_quota,
        a.disk_quota_bytes, a.cpu_seconds_quota, a.templates_quota, a.snapshots_quota, a.snapshot_bytes_quota,
        (SELECT count(*) FROM executions e WHERE e.account_id = a.id AND e.completed_at IS NULL) AS running,
        (SELECT count(*) FROM sandboxes s WHERE s.account_id = a.id) AS sandboxes,
        (SELECT coalesce(sum(s.disk_bytes), 0)::bigint FROM sandboxes s WHERE s.account_id = a.id) AS disk,
        (SELECT count(*) FROM templates t WHERE t.account_id = a.id AND t.deleted_at IS NULL) AS templates,
        (SELECT count(*) FROM snapshots p WHERE p.account_id = a.id AND p.status <> 'failed') AS snapshots,
        (SELECT coalesce(sum(p.size_bytes), 0)::bigint FROM snapshots p WHERE p.account_id = a.id) AS snapshot_bytes,
        cpu_today(a.id) AS cpu_us
        """

    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// An account.
    public func find(_ id: [UInt8]) throws -> Account? {
        try pool.withConnection { connection in try AccountStore.find(id, connection) }
    }

    private static func find(_ id: [UInt8], _ connection: PostgresConnection) throws(PostgresError) -> Account? {
        try connection.run("SELECT \(columns) FROM accounts a WHERE a.id = $1", [.uuid(id)]).first.map(read)
    }

    /// All accounts, the oldest first.
    public func list(_ page: Page) throws -> Listing<Account> {
        try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM accounts")
            let result = try connection.run(
                """
                SELECT \(AccountStore.columns) FROM accounts a WHERE $1::uuid IS NULL OR a.id > $1
                ORDER BY a.id LIMIT $2 OFFSET $3
                """,
                [PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset)])
            return Listing(
                items: try result.rows.map(AccountStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// Makes an account; nil when its name is taken.
    public func create(name: String, quotas: Account.Quotas, in transaction: StoreTransaction) throws -> Account? {
        let id = Identifier.makeUUID()
        let result = try transaction.connection.run(
            """
            INSERT INTO accounts (
                id, name, concurrent_executions_quota, sandboxes_quota, disk_quota_bytes, cpu_seconds_quota,
                templates_quota, snapshots_quota, snapshot_bytes_quota)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO NOTHING
            """, [.uuid(id), .text(name)] + AccountStore.parameters(quotas))
        guard result.changed == 1 else { return nil }
        return try AccountStore.find(id, transaction.connection)
    }

    /// Changes an account's name and quotas; nil when there is none, or its new name is taken.
    public func update(
        _ id: [UInt8], name: String, quotas: Account.Quotas, in transaction: StoreTransaction
    ) throws -> Account? {
        let result = try transaction.connection.run(
            """
            UPDATE accounts SET name = $2, concurrent_executions_quota = $3, sandboxes_quota = $4,
                disk_quota_bytes = $5, cpu_seconds_quota = $6, templates_quota = $7, snapshots_quota = $8,
                snapshot_bytes_quota = $9
            WHERE id = $1 AND NOT EXISTS (SELECT FROM accounts o WHERE o.name = $2 AND o.id <> $1)
            """, [.uuid(id), .text(name)] + AccountStore.parameters(quotas))
        guard result.changed == 1 else { return nil }
        return try AccountStore.find(id, transaction.connection)
    }

    private static func parameters(_ quotas: Account.Quotas) -> [PostgresParameter] {
        [
            PostgresParameter(quotas.concurrentExecutions), PostgresParameter(quotas.sandboxes),
            PostgresParameter(quotas.diskBytes), PostgresParameter(quotas.cpuSecondsPerDay),
            PostgresParameter(quotas.templates), PostgresParameter(quotas.snapshots),
            PostgresParameter(quotas.snapshotBytes),
        ]
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> Account {
        var quotas = Account.Quotas()
        quotas.concurrentExecutions = try row.optionalInteger("concurrent_executions_quota")
        quotas.sandboxes = try row.optionalInteger("sandboxes_quota")
        quotas.diskBytes = try row.optionalInteger("disk_quota_bytes")
        quotas.cpuSecondsPerDay = try row.optionalInteger("cpu_seconds_quota")
        quotas.templates = try row.optionalInteger("templates_quota")
        quotas.snapshots = try row.optionalInteger("snapshots_quota")
        quotas.snapshotBytes = try row.optionalInteger("snapshot_bytes_quota")
        return Account(
            id: try row.bytes("id"), name: try row.text("name"),
            createdAt: Timestamp(microseconds: try row.microseconds("created")), quotas: quotas,
            executionsRunning: try row.integer("running"),
            sandboxes: try row.integer("sandboxes"), diskBytes: try row.integer("disk"),
            cpuTodayMicroseconds: try row.integer("cpu_us"), templates: try row.integer("templates"),
            snapshots: try row.integer("snapshots"), snapshotBytes: try row.integer("snapshot_bytes"))
    }
}
