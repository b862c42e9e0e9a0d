public import Postgres
public import SoulBoxModel

/// The keys of accounts.
public struct KeyStore: Sendable {
    private static let columns = """
        k.id, a.name AS account, k.name, k.permissions, k.standard_limit, k.execution_limit, k.upload_limit,
        k.created_at AS created, k.expires_at AS expires,
        k.revoked_at AS revoked, k.last_used_at AS used
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Adds a key to the account of that name, which is made when there is none.
    public func create(
        account: String, credential: Credential, name: String, permissions: [Permission],
        limits: AccountKey.RateLimits, expiresAt: Timestamp?
    ) throws {
        try pool.withConnection { connection in
            try connection.transaction { connection in
                try connection.run(
                    "INSERT INTO accounts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                    [.uuid(Identifier.makeUUID()), .text(account)])
                guard
                    let id = try connection.run("SELECT id FROM accounts WHERE name = $1", [.text(account)]).first?
                        .bytes("id")
                else { throw PostgresError(.decoding, "no account") }
                _ = try create(
                    account: id, credential: credential, name: name, permissions: permissions, limits: limits,
                    expiresAt: expiresAt, in: StoreTransaction(connection: connection))
            }
        }
    }

    /// Adds a key to an account.
    public func create(
        account: [UInt8], credential: Credential, name: String, permissions: [Permission],
        limits: AccountKey.RateLimits, expiresAt: Timestamp?, in transaction: StoreTransaction
    ) throws -> AccountKey? {
        try transaction.connection.run(
            """
            INSERT INTO api_keys (
                id, account_id, name, secret_hash, permissions, standard_limit, execution_limit, upload_limit, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, from_microseconds($9))
            """,
            [
                .uuid(credential.keyID), .uuid(account), .text(name), PostgresParameter(bytes: credential.secretHash),
                .textArray(permissions.map(\.rawValue)), PostgresParameter(limits.standard),
                PostgresParameter(limits.execution), PostgresParameter(limits.upload),
                PostgresParameter(expiresAt?.microseconds),
            ])
        return try KeyStore.find(credential.keyID, account, transaction.connection)
    }

    /// Gives a key another secret; the one before works for `overlapSeconds` more. Nil when it is revoked or not there.
    public func rotate(
        _ credential: Credential, account: [UInt8], overlapSeconds: Int64, in transaction: StoreTransaction
    ) throws -> AccountKey? {
        let result = try transaction.connection.run(
            """
            UPDATE api_keys SET previous_hash = secret_hash,
                previous_until = clock_timestamp() + make_interval(secs => $4::bigint), secret_hash = $3
            WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL AND issuer IS NULL
            """,
            [
                .uuid(credential.keyID), .uuid(account), PostgresParameter(bytes: credential.secretHash),
                .integer(overlapSeconds),
            ])
        guard result.changed == 1 else { return nil }
        return try KeyStore.find(credential.keyID, account, transaction.connection)
    }

    /// Revokes a key of an account; false when there is none that could be.
    public func revoke(_ id: [UInt8], account: [UInt8], in transaction: StoreTransaction) throws -> Bool {
        try transaction.connection.run(
            "UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL",
            [.uuid(id), .uuid(account)]
        ).changed == 1
    }

    /// Revokes a key of any account; false when there is none that could be.
    public func revoke(_ id: String) throws -> Bool {
        guard let uuid = Identifier.parse(id, .key) else { return false }
        return try pool.withConnection { connection in
            try connection.run(
                "UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", [.uuid(uuid)]
            ).changed == 1
        }
    }

    /// Gives a key other limits; those that are nil stay. False when there is no such key.
    public func limit(_ id: String, standard: Int?, execution: Int?, upload: Int?) throws -> Bool {
        guard let uuid = Identifier.parse(id, .key) else { return false }
        return try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE api_keys SET standard_limit = coalesce($2, standard_limit),
                    execution_limit = coalesce($3, execution_limit), upload_limit = coalesce($4, upload_limit)
                WHERE id = $1
                """,
                [
                    .uuid(uuid), PostgresParameter(standard), PostgresParameter(execution), PostgresParameter(upload),
                ]
            ).changed == 1
        }
    }

    /// A key of an account.
    public func find(_ id: [UInt8], account: [UInt8]) throws -> AccountKey? {
        try pool.withConnection { connection in try KeyStore.find(id, account, connection) }
    }

    /// The keys of an account, or all, the oldest first.
    public func list(account: [UInt8]?, page: Page) throws -> Listing<AccountKey> {
        try pool.withConnection { connection in
            let total = try connection.run(
                "SELECT count(*) AS total FROM api_keys k WHERE $1::uuid IS NULL OR k.account_id = $1",
                [PostgresParameter(uuid: account)])
            let result = try connection.run(
                """
                SELECT \(KeyStore.columns) FROM api_keys k JOIN accounts a ON a.id = k.account_id
                WHERE ($1::uuid IS NULL OR k.account_id = $1) AND ($2::uuid IS NULL OR k.id > $2)
                ORDER BY k.id LIMIT $3 OFFSET $4
                """,
                [
                    PostgresParameter(uuid: account), PostgresParameter(uuid: page.cursor),
                    PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(items: try result.rows.map(KeyStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// The key of a caller whose token another issuer has signed, 16 bytes; made with the first request.
    public func external(issuer: String, subject: String, permissions: Set<Permission>) throws -> [UInt8] {
        try pool.withConnection { connection in
            let result = try connection.run(
                "SELECT external_key($1, $2, $3) AS id",
                [.text(issuer), .text(subject), .textArray(permissions.map(\.rawValue).sorted())])
            guard let row = result.first else { throw PostgresError(.decoding, "no key") }
            return try row.bytes("id")
        }
    }

    private static func find(
        _ id: [UInt8], _ account: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> AccountKey? {
        try connection.run(
            """
            SELECT \(columns) FROM api_keys k JOIN accounts a ON a.id = k.account_id
            WHERE k.id = $1 AND k.account_id = $2
            """, [.uuid(id), .uuid(account)]
        ).first.map(read)
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> AccountKey {
        var limits = AccountKey.RateLimits()
        limits.standard = Int(try row.integer("standard_limit"))
        limits.execution = Int(try row.integer("execution_limit"))
        limits.upload = Int(try row.integer("upload_limit"))
        return AccountKey(
            id: try row.bytes("id"), account: try row.text("account"), name: try row.text("name"),
            permissions: try row.textArray("permissions").compactMap(Permission.init(rawValue:)), limits: limits,
            createdAt: Timestamp(microseconds: try row.microseconds("created")),
            expiresAt: try row.optionalMicroseconds("expires").map(Timestamp.init(microseconds:)),
            revokedAt: try row.optionalMicroseconds("revoked").map(Timestamp.init(microseconds:)),
            lastUsedAt: try row.optionalMicroseconds("used").map(Timestamp.init(microseconds:)))
    }
}
