internal import Postgres
internal import SoulBoxModel

extension SnapshotStore {
    /// A snapshot of that account that is not deleted before the transaction ends.
    public func hold(_ id: String, account: [UInt8], in transaction: StoreTransaction) throws -> AccountSnapshot? {
        guard let uuid = Identifier.parse(id, .snapshot) else { return nil }
        return try transaction.connection.run(
            "SELECT \(SnapshotStore.columns) FROM snapshots p WHERE p.id = $1 AND p.account_id = $2 FOR SHARE",
            [.uuid(uuid), .uuid(account)]
        ).first.map(SnapshotStore.read)
    }

    /// The sandbox that a snapshot is of, as it was when that was asked for; nil when it was gone before that was noted.
    public func origin(
        of snapshot: AccountSnapshot, in transaction: StoreTransaction
    ) throws -> AccountSandbox? {
        try transaction.connection.run(
            """
            SELECT sandbox_id AS id, account_id, name, runtime, template, 'creating' AS status, NULL AS reason,
                memory_bytes, cpu_millicores, process_limit, disk_bytes, network_enabled, allowed_hosts, environment,
                now() AS created, now() AS updated, NULL::timestamptz AS started, now() AS activity, ttl_seconds,
                idle_seconds, on_idle, template_version, NULL::uuid AS restore_id
            FROM snapshots WHERE id = $1 AND runtime IS NOT NULL
            """, [.uuid(snapshot.id)]
        ).first.map(SandboxStore.read)
    }
}
