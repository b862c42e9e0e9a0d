public import Postgres
public import SoulBoxModel

/// Accounts and their keys.
public struct KeyStore: Sendable {
    /// A key as it is listed; its secret is known to nobody here.
    public struct Key: Sendable, Equatable {
        /// Its identifier, as `key_…`.
        public var id: String
        /// The account's name.
        public var account: String
        /// Its name.
        public var name: String
        /// What it may do.
        public var permissions: [String]
        /// When it was made.
        public var createdAt: Timestamp
        /// When it ends, if it does.
        public var expiresAt: Timestamp?
        /// When it was revoked, if it was.
        public var revokedAt: Timestamp?
        /// When it was last used, to the minute.
        public var lastUsedAt: Timestamp?
    }

    /// Requests a minute; 0 is unlimited.
    public struct RateLimits: Sendable, Equatable {
        /// Of the ordinary endpoints.
        public var standard = 100
        /// Of executions.
        public var execution = 20
        /// Of uploads.
        public var upload = 10

        /// The API's defaults.
        public init() {}
    }

    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Adds a key to the account of that name, which is made when there is none.
    public func create(
        account: String, credential: Credential, name: String, permissions: [Permission], limits: RateLimits,
        expiresAt: Timestamp?
    ) throws {
        try pool.withConnection { connection in
            try connection.transaction { connection in
                try connection.run(
                    "INSERT INTO accounts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                    [.uuid(Identifier.makeUUID()), .text(account)])
                try connection.run(
                    """
                    INSERT INTO api_keys (
                        id, account_id, name, secret_hash, permissions, standard_limit, execution_limit, upload_limit,
                        expires_at)
                    SELECT $1, id, $3, $4, $5, $6, $7, $8, from_microseconds($9) FROM accounts WHERE name = $2
                    """,
                    [
                        .uuid(credential.keyID), .text(account), .text(name), .bytes(credential.secretHash),
                        .textArray(permissions.map(\.rawValue)), PostgresParameter(limits.standard),
                        PostgresParameter(limits.execution), PostgresParameter(limits.upload),
                        PostgresParameter(expiresAt?.microseconds),
                    ])
            }
        }
    }

    /// All keys, the oldest first.
    public func list() throws -> [Key] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT k.id, a.name AS account, k.name, k.permissions, to_microseconds(k.created_at) AS created,
                    to_microseconds(k.expires_at) AS expires, to_microseconds(k.revoked_at) AS revoked,
                    to_microseconds(k.last_used_at) AS used
                FROM api_keys k JOIN accounts a ON a.id = k.account_id ORDER BY k.id
                """
            ).rows.map { row in
                Key(
                    id: Identifier.text(.key, uuid: try row.bytes("id")), account: try row.text("account"),
                    name: try row.text("name"), permissions: try row.textArray("permissions"),
                    createdAt: Timestamp(microseconds: try row.integer("created")),
                    expiresAt: try row.optionalInteger("expires").map(Timestamp.init(microseconds:)),
                    revokedAt: try row.optionalInteger("revoked").map(Timestamp.init(microseconds:)),
                    lastUsedAt: try row.optionalInteger("used").map(Timestamp.init(microseconds:)))
            }
        }
    }

    /// Revokes a key; false when there is none that could be.
    public func revoke(_ id: String) throws -> Bool {
        guard let uuid = Identifier.parse(id, .key) else { return false }
        return try pool.withConnection { connection in
            try connection.run(
                "UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", [.uuid(uuid)]
            ).changed == 1
        }
    }
}
