public import Postgres
internal import SoulBoxModel

/// The rules of alerts in the database.
public struct AlertRuleStore: Sendable {
    /// How many there may be: all are looked at every five seconds.
    public static let most = 100

    static let columns = """
        r.id, r.name, r.metric, r.comparison, r.threshold, r.for_seconds, r.severity, r.enabled, r.webhook_url,
        r.webhook_secret, r.created_at AS created, r.updated_at AS updated, r.revision
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Rules, the oldest first.
    public func list(page: Page) throws -> Listing<AlertRule> {
        try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM alert_rules")
            let result = try connection.run(
                """
                SELECT \(AlertRuleStore.columns) FROM alert_rules r WHERE ($1::uuid IS NULL OR r.id > $1)
                ORDER BY r.id LIMIT $2 OFFSET $3
                """,
                [PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset)])
            return Listing(
                items: try result.rows.map(AlertRuleStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// A rule.
    public func find(_ id: String) throws -> AlertRule? {
        guard let uuid = Identifier.parse(id, .rule) else { return nil }
        return try pool.withConnection { connection in
            try connection.run(
                "SELECT \(AlertRuleStore.columns) FROM alert_rules r WHERE r.id = $1", [.uuid(uuid)]
            ).first.map(AlertRuleStore.read)
        }
    }

    /// Notes a rule; nil when there are as many as there may be.
    public func create(_ rule: AlertRule, in transaction: StoreTransaction) throws -> AlertRule? {
        let connection = transaction.connection
        // One at a time: counting and noting are one act.
        try connection.run("LOCK TABLE alert_rules IN SHARE ROW EXCLUSIVE MODE")
        let count = try connection.run("SELECT count(*) AS rules FROM alert_rules").first?.integer("rules") ?? 0
        guard count < Int64(AlertRuleStore.most) else { return nil }
        return try connection.run(
            """
            INSERT INTO alert_rules AS r (
                name, metric, comparison, threshold, for_seconds, severity, enabled, webhook_url, webhook_secret, id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING \(AlertRuleStore.columns)
            """, AlertRuleStore.parameters(rule) + [.uuid(rule.id)]
        ).first.map(AlertRuleStore.read)
    }

    /// Changes a rule; nil when it is not there.
    ///
    /// Alerts that it could not find any more are resolved with it, and what is still to be sent goes where it says now.
    public func update(
        _ id: String, by caller: Caller, in transaction: StoreTransaction, _ change: (AlertRule) throws -> AlertRule
    ) throws -> AlertRule? {
        guard let uuid = Identifier.parse(id, .rule) else { return nil }
        let connection = transaction.connection
        let found = try connection.run(
            "SELECT \(AlertRuleStore.columns) FROM alert_rules r WHERE r.id = $1 FOR UPDATE", [.uuid(uuid)]
        ).first.map(AlertRuleStore.read)
        guard let before = found else { return nil }
        let wanted = try change(before)
        let after = try connection.run(
            """
            UPDATE alert_rules r SET name = $1, metric = $2, comparison = $3, threshold = $4, for_seconds = $5,
                severity = $6, enabled = $7, webhook_url = $8, webhook_secret = $9, updated_at = now(),
                revision = revision + 1
            WHERE r.id = $10 RETURNING \(AlertRuleStore.columns)
            """, AlertRuleStore.parameters(wanted) + [.uuid(uuid)]
        ).first.map(AlertRuleStore.read)
        guard let after else { throw PostgresError(.decoding, "the rule is not there") }
        if before.webhook != after.webhook { try WebhookStore.redirect(uuid, to: after.webhook, connection) }
        if before.isEnabled, !after.isEnabled {
            try AlertStore.resolveAll(of: uuid, .ruleDisabled, by: caller, connection)
        } else if before.metric != after.metric {
            try AlertStore.resolveAll(of: uuid, .ruleChanged, by: caller, connection)
        }
        return after
    }

    /// Removes a rule and resolves its alerts; false when it is not there.
    public func delete(_ id: String, by caller: Caller, in transaction: StoreTransaction) throws -> Bool {
        guard let uuid = Identifier.parse(id, .rule) else { return false }
        let connection = transaction.connection
        // The row is locked while its alerts are told of: their webhook is read from it.
        let found = try connection.run("SELECT id FROM alert_rules WHERE id = $1 FOR UPDATE", [.uuid(uuid)])
        guard found.count == 1 else { return false }
        try AlertStore.resolveAll(of: uuid, .ruleDeleted, by: caller, connection)
        try connection.run("DELETE FROM alert_rules WHERE id = $1", [.uuid(uuid)])
        return true
    }

    private static func parameters(_ rule: AlertRule) -> [PostgresParameter] {
        [
            .text(rule.name), .text(rule.metric), .text(rule.comparison.rawValue), .text("\(rule.threshold)"),
            .integer(rule.forSeconds), .text(rule.severity.rawValue), .bool(rule.isEnabled),
            PostgresParameter(rule.webhook?.url), PostgresParameter(bytes: rule.webhook?.sealedSecret),
        ]
    }

    static func read(_ row: PostgresRow) throws(PostgresError) -> AlertRule {
        guard let comparison = AlertRule.Comparison(rawValue: try row.text("comparison")),
            let severity = AlertRule.Severity(rawValue: try row.text("severity"))
        else { throw PostgresError(.decoding, "unreadable rule") }
        var rule = AlertRule(
            id: try row.bytes("id"), name: try row.text("name"), metric: try row.text("metric"),
            comparison: comparison, threshold: try row.number("threshold"), forSeconds: try row.integer("for_seconds"),
            severity: severity)
        rule.isEnabled = try row.bool("enabled")
        if let url = try row.optionalText("webhook_url") {
            rule.webhook = AlertRule.Webhook(url: url, sealedSecret: try row.bytes("webhook_secret"))
        }
        rule.createdAt = Timestamp(microseconds: try row.microseconds("created"))
        rule.updatedAt = Timestamp(microseconds: try row.microseconds("updated"))
        rule.revision = try row.integer("revision")
        return rule
    }
}
