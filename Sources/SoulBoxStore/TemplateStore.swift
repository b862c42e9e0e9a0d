public import Postgres
public import SoulBoxModel

/// The users' templates in the database. Every statement for a caller names the account.
public struct TemplateStore: Sendable {
    /// The newest version as `n`, the version to be shown as `v`: the same row until a build has succeeded.
    private static let tables = """
        templates t JOIN template_versions n ON n.template_id = t.id AND n.version = t.newest
        JOIN template_versions v ON v.template_id = t.id AND v.version = coalesce(t.version, t.newest)
        """

    private static let columns = """
        t.id, t.account_id, t.name, t.runtime, t.version AS current, t.created_at AS made, t.updated_at AS changed,
        \(versionColumns("n")), \(versionColumns("v"))
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Notes a template whose first version is to be built, within the account's quota.
    public func create(
        _ id: [UInt8], account: [UInt8], name: String, runtime: Runtime, spec: TemplateSpec,
        in transaction: StoreTransaction
    ) throws -> Result<AccountTemplate, TemplateRefusal> {
        let connection = transaction.connection
        // The account's row is locked, so that counting and noting are one act; apart from the counting, which must see what
        // was noted while the lock was waited for.
        let row = try connection.run(
            "SELECT templates_quota FROM accounts WHERE id = $1 FOR NO KEY UPDATE", [.uuid(account)]
        ).first
        guard let row else { throw PostgresError(.decoding, "no account") }
        if let quota = try row.optionalInteger("templates_quota") {
            let count = try connection.run(
                "SELECT count(*) AS templates FROM templates WHERE account_id = $1 AND deleted_at IS NULL",
                [.uuid(account)]
            ).first?.integer("templates")
            guard let count, count < quota else { return .failure(.quota) }
        }
        let made = try connection.run(
            """
            INSERT INTO templates (id, account_id, name, runtime, created_at) VALUES ($1, $2, $3, $4, now())
            ON CONFLICT (account_id, name) WHERE deleted_at IS NULL DO NOTHING
            """, [.uuid(id), .uuid(account), .text(name), .text(runtime.rawValue)])
        guard made.changed == 1 else { return .failure(.nameTaken) }
        try TemplateStore.queue(spec, version: 1, of: id, connection)
        return .success(try TemplateStore.noted(id, account, connection))
    }

    /// Notes another version that is to be built.
    ///
    /// - Parameter change: Gives name, language and contents of the version that follows the newest one.
    public func addVersion(
        to id: [UInt8], account: [UInt8], in transaction: StoreTransaction,
        _ change: (AccountTemplate) throws -> (name: String, runtime: Runtime, spec: TemplateSpec)
    ) throws -> Result<AccountTemplate, TemplateRefusal> {
        let connection = transaction.connection
        guard let known = try TemplateStore.find(id, account, connection, locked: true) else {
            return .failure(.notFound)
        }
        guard known.newest.status.isFinal else { return .failure(.building) }
        let (name, runtime, spec) = try change(known)
        guard runtime == known.runtime else { return .failure(.runtime(known.runtime)) }
        let number = known.newest.number + 1
        let changed = try connection.run(
            """
            UPDATE templates SET name = $2, newest = $3, updated_at = now() WHERE id = $1 AND NOT EXISTS (
                SELECT FROM templates o
                WHERE o.account_id = $4 AND o.name = $2 AND o.id <> $1 AND o.deleted_at IS NULL)
            """, [.uuid(id), .text(name), PostgresParameter(number), .uuid(account)])
        guard changed.changed == 1 else { return .failure(.nameTaken) }
        try TemplateStore.queue(spec, version: number, of: id, connection)
        return .success(try TemplateStore.noted(id, account, connection))
    }

    private static func queue(
        _ spec: TemplateSpec, version: Int, of id: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) {
        try connection.run(
            "INSERT INTO template_versions (template_id, version, spec, status) VALUES ($1, $2, $3, 'queued')",
            [.uuid(id), PostgresParameter(version), .text(spec.storage.text)])
    }

    private static func noted(
        _ id: [UInt8], _ account: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> AccountTemplate {
        guard let template = try find(id, account, connection) else {
            throw PostgresError(.decoding, "the template is not there")
        }
        return template
    }

    /// A template of that account.
    public func find(_ id: String, account: [UInt8]) throws -> AccountTemplate? {
        guard let uuid = Identifier.parse(id, .template) else { return nil }
        return try pool.withConnection { connection in try TemplateStore.find(uuid, account, connection) }
    }

    private static func find(
        _ id: [UInt8], _ account: [UInt8], _ connection: PostgresConnection, locked: Bool = false
    ) throws(PostgresError) -> AccountTemplate? {
        try connection.run(
            """
            SELECT \(columns) FROM \(tables) WHERE t.id = $1 AND t.account_id = $2 AND t.deleted_at IS NULL
            \(locked ? "FOR UPDATE OF t" : "")
            """, [.uuid(id), .uuid(account)]
        ).first.map(read)
    }

    /// Templates of that account, the oldest first: after a cursor, or after so many.
    public func list(
        account: [UInt8], runtime: Runtime?, after cursor: [UInt8]?, offset: Int, limit: Int
    ) throws -> Listing<AccountTemplate> {
        let condition = "t.account_id = $1 AND t.deleted_at IS NULL AND ($2::text IS NULL OR t.runtime = $2)"
        let parameters: [PostgresParameter] = [.uuid(account), PostgresParameter(runtime?.rawValue)]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM templates t WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT \(TemplateStore.columns) FROM \(TemplateStore.tables)
                WHERE \(condition) AND ($3::uuid IS NULL OR t.id > $3) ORDER BY t.id LIMIT $4 OFFSET $5
                """,
                parameters + [
                    PostgresParameter(uuid: cursor), PostgresParameter(limit), PostgresParameter(offset),
                ])
            return Listing(
                items: try result.rows.map(TemplateStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// A version of a template of that account, and what its build has said; the newest when no number is given.
    public func build(
        _ id: String, version: Int?, account: [UInt8]
    ) throws -> (version: TemplateVersion, log: String)? {
        guard let uuid = Identifier.parse(id, .template) else { return nil }
        return try pool.withConnection { connection in
            try connection.run(
                """
                SELECT \(TemplateStore.versionColumns("v")), v.log FROM templates t
                JOIN template_versions v ON v.template_id = t.id AND v.version = coalesce($3::integer, t.newest)
                WHERE t.id = $1 AND t.account_id = $2 AND t.deleted_at IS NULL
                """, [.uuid(uuid), .uuid(account), PostgresParameter(version)]
            ).first.map { row throws(PostgresError) in (try TemplateStore.readVersion(row, "v"), try row.text("log")) }
        }
    }

    static func versionColumns(_ table: String) -> String {
        [
            "version", "spec", "status", "error", "packages_installed", "size_bytes", "created_at", "started_at",
            "finished_at",
        ].map { "\(table).\($0) AS \(table)_\($0)" }.joined(separator: ", ")
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> AccountTemplate {
        guard let runtime = Runtime(rawValue: try row.text("runtime")) else {
            throw PostgresError(.decoding, "unreadable template")
        }
        return AccountTemplate(
            id: try row.bytes("id"), accountID: try row.bytes("account_id"), name: try row.text("name"),
            runtime: runtime, version: try row.optionalInteger("current").map(Int.init),
            newest: try readVersion(row, "n"), shown: try readVersion(row, "v"),
            createdAt: Timestamp(microseconds: try row.microseconds("made")),
            updatedAt: Timestamp(microseconds: try row.microseconds("changed")))
    }

    private static func readVersion(_ row: PostgresRow, _ table: String) throws(PostgresError) -> TemplateVersion {
        let packages = try? JSONParser.parse(Array(try row.text("\(table)_packages_installed").utf8))
        guard let spec = (try? JSONParser.parse(Array(try row.text("\(table)_spec").utf8))).flatMap(TemplateSpec.init),
            let status = TemplateVersion.Status(rawValue: try row.text("\(table)_status"))
        else { throw PostgresError(.decoding, "unreadable version of a template") }
        return TemplateVersion(
            number: Int(try row.integer("\(table)_version")), spec: spec, status: status,
            error: try row.optionalText("\(table)_error"),
            packagesInstalled: (packages?.objectValue?.members ?? []).compactMap { member in
                member.value.stringValue.map { .init(name: member.name, version: $0) }
            },
            sizeBytes: try row.optionalInteger("\(table)_size_bytes"),
            createdAt: Timestamp(microseconds: try row.microseconds("\(table)_created_at")),
            startedAt: try row.optionalMicroseconds("\(table)_started_at").map(Timestamp.init(microseconds:)),
            finishedAt: try row.optionalMicroseconds("\(table)_finished_at").map(Timestamp.init(microseconds:)))
    }
}
