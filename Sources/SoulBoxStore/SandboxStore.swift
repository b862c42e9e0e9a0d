public import Postgres
public import SoulBoxModel

/// The persistent sandboxes in the database. Every statement for a caller names the account.
public struct SandboxStore: Sendable {
    static let columns = """
        s.id, s.account_id, s.name, s.runtime, s.template, s.status, s.reason, s.memory_bytes, s.cpu_millicores,
        s.process_limit, s.disk_bytes, s.network_enabled, s.allowed_hosts, s.environment, s.created_at AS created,
        s.updated_at AS updated, s.started_at AS started, s.last_activity AS activity, s.ttl_seconds, s.idle_seconds,
        s.on_idle, s.template_version, s.restore_id, s.restore_snapshot, s.restore_memory, s.restore_network,
        s.restore_status, s.restore_error, s.restore_requested_at AS restore_requested,
        s.restore_finished_at AS restore_finished
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Why a sandbox was not noted.
    public enum Refusal: Sendable, Equatable {
        /// A quota of the account is used up: `sandboxes` or `disk_bytes`.
        case quota(String)
        /// The user's template that it was to be made from is gone.
        case noTemplate
    }

    /// Notes a sandbox that is to be made, within the account's quotas. Nil when it is noted.
    public func create(
        _ sandbox: AccountSandbox, key: [UInt8], in transaction: StoreTransaction
    ) throws -> Refusal? {
        if let refusal = try refusal(
            account: sandbox.accountID, newSandboxes: 1, newDisk: sandbox.diskBytes, transaction.connection)
        {
            return refusal
        }
        if sandbox.templateVersion != nil, try !holdTemplate(of: sandbox, transaction.connection) {
            return .noTemplate
        }
        try transaction.connection.run(
            """
            INSERT INTO sandboxes (
                id, account_id, key_id, name, runtime, template, status, memory_bytes, cpu_millicores, process_limit,
                disk_bytes, network_enabled, allowed_hosts, environment, created_at, updated_at, last_activity,
                ttl_seconds, expires_at, idle_seconds, on_idle, template_version)
            VALUES ($1, $2, $3, $4, $5, $6, 'creating', $7, $8, $9, $10, $11, $12, $13, from_microseconds($14),
                from_microseconds($14), from_microseconds($14), $15::integer,
                from_microseconds($14) + make_interval(secs => $15::integer), $16, $17, $18)
            """,
            [
                .uuid(sandbox.id), .uuid(sandbox.accountID), .uuid(key), .text(sandbox.name),
                .text(sandbox.runtime.rawValue), .text(sandbox.template), .integer(sandbox.memoryBytes),
                PostgresParameter(sandbox.cpuMillicores), PostgresParameter(sandbox.processes),
                .integer(sandbox.diskBytes), .bool(sandbox.networkEnabled), .textArray(sandbox.allowedHosts),
                .text(SandboxStore.text(sandbox.environment)), .integer(sandbox.createdAt.microseconds),
                PostgresParameter(sandbox.ttlSeconds), PostgresParameter(sandbox.idleSeconds),
                .text(sandbox.onIdle.rawValue), PostgresParameter(sandbox.templateVersion),
            ])
        try note(sandbox.id, sandbox.accountID, "created", reason: nil, transaction.connection)
        return nil
    }

    /// Keeps a user's template from being deleted until the sandbox is noted; false when it is gone.
    private func holdTemplate(
        of sandbox: AccountSandbox, _ connection: PostgresConnection
    ) throws(PostgresError) -> Bool {
        try connection.run(
            "SELECT FROM templates WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL FOR SHARE",
            [PostgresParameter(uuid: Identifier.parse(sandbox.template, .template)), .uuid(sandbox.accountID)]
        ).rows.count == 1
    }

    /// Changes what its owner may change of a sandbox, within the account's quotas.
    public func update(
        _ sandbox: AccountSandbox, moreDisk: Int64, in transaction: StoreTransaction
    ) throws -> Refusal? {
        if moreDisk > 0,
            let refusal = try refusal(
                account: sandbox.accountID, newSandboxes: 0, newDisk: moreDisk, transaction.connection)
        {
            return refusal
        }
        try transaction.connection.run(
            """
            UPDATE sandboxes SET name = $3, memory_bytes = $4, cpu_millicores = $5, disk_bytes = $6,
                network_enabled = $7, allowed_hosts = $8, environment = $9, ttl_seconds = $10::integer,
                expires_at = created_at + make_interval(secs => $10::integer), idle_seconds = $11, on_idle = $12,
                updated_at = now(), last_activity = now()
            WHERE id = $1 AND account_id = $2
            """,
            [
                .uuid(sandbox.id), .uuid(sandbox.accountID), .text(sandbox.name), .integer(sandbox.memoryBytes),
                PostgresParameter(sandbox.cpuMillicores), .integer(sandbox.diskBytes), .bool(sandbox.networkEnabled),
                .textArray(sandbox.allowedHosts), .text(SandboxStore.text(sandbox.environment)),
                PostgresParameter(sandbox.ttlSeconds), PostgresParameter(sandbox.idleSeconds),
                .text(sandbox.onIdle.rawValue),
            ])
        try note(sandbox.id, sandbox.accountID, "updated", reason: nil, transaction.connection)
        return nil
    }

    /// Which quota stands against more; the account's row is locked, so that counting and noting are one act.
    private func refusal(
        account: [UInt8], newSandboxes: Int64, newDisk: Int64, _ connection: PostgresConnection
    ) throws(PostgresError) -> Refusal? {
        let row = try connection.run(
            "SELECT sandboxes_quota, disk_quota_bytes FROM accounts WHERE id = $1 FOR NO KEY UPDATE", [.uuid(account)]
        ).first
        guard let row else { throw PostgresError(.decoding, "no account") }
        let sandboxes = try row.optionalInteger("sandboxes_quota")
        let disk = try row.optionalInteger("disk_quota_bytes")
        guard sandboxes != nil || disk != nil else { return nil }
        let used = try connection.run(
            "SELECT count(*) AS sandboxes, coalesce(sum(disk_bytes), 0)::bigint AS disk FROM sandboxes WHERE account_id = $1",
            [.uuid(account)]
        ).first
        guard let used else { throw PostgresError(.decoding, "no count") }
        if let sandboxes, try used.integer("sandboxes") + newSandboxes > sandboxes { return .quota("sandboxes") }
        if let disk, try used.integer("disk") + newDisk > disk { return .quota("disk_bytes") }
        return nil
    }

    /// A sandbox of that account.
    public func find(_ id: String, account: [UInt8]) throws -> AccountSandbox? {
        try find(id).flatMap { $0.accountID == account ? $0 : nil }
    }

    /// A sandbox, whoever it belongs to: for whoever checks that before anything is told.
    public func find(_ id: String) throws -> AccountSandbox? {
        guard let uuid = Identifier.parse(id, .sandbox) else { return nil }
        return try pool.withConnection { connection in
            try connection.run(
                "SELECT \(SandboxStore.columns) FROM sandboxes s WHERE s.id = $1 AND s.status <> 'deleting'",
                [.uuid(uuid)]
            ).first.map(SandboxStore.read)
        }
    }

    /// A sandbox of that account, locked until the transaction ends.
    public func find(
        _ id: String, account: [UInt8], in transaction: StoreTransaction
    ) throws -> AccountSandbox? {
        guard let uuid = Identifier.parse(id, .sandbox) else { return nil }
        return try transaction.connection.run(
            """
            SELECT \(SandboxStore.columns) FROM sandboxes s
            WHERE s.id = $1 AND s.account_id = $2 AND s.status <> 'deleting' FOR NO KEY UPDATE
            """, [.uuid(uuid), .uuid(account)]
        ).first.map(SandboxStore.read)
    }

    /// Sandboxes of that account, the newest first.
    public func list(
        account: [UInt8], status: SandboxStatus?, runtime: Runtime?, page: Page
    ) throws -> Listing<AccountSandbox> {
        let condition = """
            s.account_id = $1 AND s.status <> 'deleting' AND ($2::text IS NULL OR s.status = $2)
            AND ($3::text IS NULL OR s.runtime = $3)
            """
        let parameters: [PostgresParameter] = [
            .uuid(account), PostgresParameter(status?.rawValue), PostgresParameter(runtime?.rawValue),
        ]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM sandboxes s WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT \(SandboxStore.columns) FROM sandboxes s WHERE \(condition) AND ($4::uuid IS NULL OR s.id < $4)
                ORDER BY s.id DESC LIMIT $5 OFFSET $6
                """,
                parameters + [
                    PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(
                items: try result.rows.map(SandboxStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// What happened to a sandbox of that account, the newest first; also to one that is gone.
    public func events(_ id: String, account: [UInt8], page: Page) throws -> Listing<SandboxEvent>? {
        guard let uuid = Identifier.parse(id, .sandbox) else { return nil }
        return try pool.withConnection { connection in
            let total =
                try connection.run(
                    "SELECT count(*) AS total FROM sandbox_events WHERE sandbox_id = $1 AND account_id = $2",
                    [.uuid(uuid), .uuid(account)]
                ).first?.integer("total") ?? 0
            guard total > 0 else { return nil }
            let result = try connection.run(
                """
                SELECT id, at AS moment, event, reason FROM sandbox_events
                WHERE sandbox_id = $1 AND account_id = $2 AND ($3::uuid IS NULL OR id < $3)
                ORDER BY id DESC LIMIT $4 OFFSET $5
                """,
                [
                    .uuid(uuid), .uuid(account), PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit),
                    PostgresParameter(page.offset),
                ])
            let items = try result.rows.map { row throws(PostgresError) in
                SandboxEvent(
                    id: try row.bytes("id"), at: Timestamp(microseconds: try row.microseconds("moment")),
                    event: try row.text("event"), reason: try row.optionalText("reason"))
            }
            return Listing(items: items, total: total)
        }
    }

    func note(
        _ id: [UInt8], _ account: [UInt8], _ event: String, reason: String?, _ connection: PostgresConnection
    ) throws(PostgresError) {
        try connection.run(
            "INSERT INTO sandbox_events (id, sandbox_id, account_id, event, reason) VALUES ($1, $2, $3, $4, $5)",
            [.uuid(Identifier.makeUUID()), .uuid(id), .uuid(account), .text(event), PostgresParameter(reason)])
    }

    static func text(_ environment: [ExecutionSpec.Variable]) -> String {
        JSONValue.object(JSONObject(environment.map { ($0.name, .string($0.value)) })).text
    }

    static func read(_ row: PostgresRow) throws(PostgresError) -> AccountSandbox {
        guard let runtime = Runtime(rawValue: try row.text("runtime")),
            let variables = (try? JSONParser.parse(Array(try row.text("environment").utf8)))?.objectValue
        else { throw PostgresError(.decoding, "unreadable sandbox") }
        var sandbox = AccountSandbox(
            id: try row.bytes("id"), accountID: try row.bytes("account_id"), name: try row.text("name"),
            runtime: runtime, template: try row.text("template"), memoryBytes: try row.integer("memory_bytes"),
            cpuMillicores: Int(try row.integer("cpu_millicores")), processes: Int(try row.integer("process_limit")),
            diskBytes: try row.integer("disk_bytes"),
            createdAt: Timestamp(microseconds: try row.microseconds("created")))
        sandbox.templateVersion = try row.optionalInteger("template_version").map(Int.init)
        // One that is being deleted is met by sweeps only.
        sandbox.status = SandboxStatus(rawValue: try row.text("status")) ?? .stopped
        sandbox.reason = try row.optionalText("reason")
        sandbox.networkEnabled = try row.bool("network_enabled")
        sandbox.allowedHosts = try row.textArray("allowed_hosts")
        sandbox.environment = variables.members.map { .init(name: $0.name, value: $0.value.stringValue ?? "") }
        sandbox.updatedAt = Timestamp(microseconds: try row.microseconds("updated"))
        sandbox.startedAt = try row.optionalMicroseconds("started").map(Timestamp.init(microseconds:))
        sandbox.lastActivity = Timestamp(microseconds: try row.microseconds("activity"))
        sandbox.ttlSeconds = try row.optionalInteger("ttl_seconds").map(Int.init)
        sandbox.idleSeconds = try row.optionalInteger("idle_seconds").map(Int.init)
        sandbox.onIdle = IdleAction(rawValue: try row.text("on_idle")) ?? .stop
        sandbox.restore = try SandboxRestore(row)
        return sandbox
    }
}
