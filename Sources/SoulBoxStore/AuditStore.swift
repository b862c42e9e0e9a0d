public import Postgres
public import SoulBoxModel

/// The audit log.
public struct AuditStore: Sendable {
    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Adds an entry, durable when this returns.
    public func note(_ entry: AuditEntry) throws {
        try pool.withConnection { connection in try AuditStore.note(entry, connection) }
    }

    static func note(_ entry: AuditEntry, _ connection: PostgresConnection) throws(PostgresError) {
        try connection.run(
            """
            INSERT INTO audit_log (id, at, account_id, key_id, request_id, address, method, path, status)
            VALUES ($1, from_microseconds($2), $3, $4, $5, $6::inet, $7, $8, $9)
            """,
            [
                .uuid(entry.id), .integer(entry.at.microseconds), PostgresParameter(uuid: entry.accountID),
                PostgresParameter(uuid: entry.keyID), .text(entry.requestID),
                entry.address.isEmpty ? .null : .text(entry.address), .text(entry.method), .text(entry.path),
                PostgresParameter(entry.status),
            ])
    }

    /// Entries, the newest first; of one account, or of all.
    public func list(
        account: [UInt8]?, since: Timestamp?, until: Timestamp?, page: Page
    ) throws -> Listing<AuditEntry> {
        let condition = """
            ($1::uuid IS NULL OR account_id = $1) AND ($2::bigint IS NULL OR at >= from_microseconds($2))
            AND ($3::bigint IS NULL OR at < from_microseconds($3))
            """
        let parameters: [PostgresParameter] = [
            PostgresParameter(uuid: account), PostgresParameter(since?.microseconds),
            PostgresParameter(until?.microseconds),
        ]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM audit_log WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT id, at AS moment, account_id, key_id, request_id,
                    coalesce(host(address), '') AS origin, method, path, status
                FROM audit_log WHERE \(condition) AND ($4::uuid IS NULL OR id < $4)
                ORDER BY id DESC LIMIT $5 OFFSET $6
                """,
                parameters + [
                    PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(
                items: try result.rows.map(AuditStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> AuditEntry {
        var entry = AuditEntry(
            accountID: try row.optionalBytes("account_id"), keyID: try row.optionalBytes("key_id"),
            requestID: try row.text("request_id"), address: try row.text("origin"), method: try row.text("method"),
            path: try row.text("path"), status: Int(try row.integer("status")))
        entry.id = try row.bytes("id")
        entry.at = Timestamp(microseconds: try row.microseconds("moment"))
        return entry
    }

    /// Deletes entries that are older than that many days, a bounded number at a time. Returns how many.
    public func expire(days: Int) throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                DELETE FROM audit_log WHERE id IN (
                    SELECT id FROM audit_log WHERE id < uuid_at(now() - make_interval(days => $1)) ORDER BY id LIMIT 1000)
                """, [.integer(Int64(days))]
            ).changed
        }
    }
}
