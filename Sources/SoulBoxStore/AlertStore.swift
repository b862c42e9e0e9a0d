public import Postgres
internal import SoulBoxModel

/// The alerts in the database. They belong to the installation, not to an account.
public struct AlertStore: Sendable {
    static let columns = """
        a.id, a.rule_id, a.rule_name, a.metric, a.comparison, a.threshold, a.severity, a.subject, a.node, a.message,
        a.value, a.status, a.triggered_at AS triggered, a.acknowledged_at AS acknowledged, a.resolved_at AS resolved,
        a.resolution
        """

    let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Alerts, the newest first: those that stand so, or those that are open when no status is given.
    public func list(
        status: Alert.Status?, severity: AlertRule.Severity?, page: Page
    ) throws -> Listing<Alert> {
        let condition = """
            ($1::text IS NULL AND a.status <> 'resolved' OR a.status = $1) AND ($2::text IS NULL OR a.severity = $2)
            """
        let parameters = [PostgresParameter(status?.rawValue), PostgresParameter(severity?.rawValue)]
        return try pool.withConnection { connection in
            let total = try connection.run("SELECT count(*) AS total FROM alerts a WHERE \(condition)", parameters)
            let result = try connection.run(
                """
                SELECT \(AlertStore.columns) FROM alerts a WHERE \(condition) AND ($3::uuid IS NULL OR a.id < $3)
                ORDER BY a.id DESC LIMIT $4 OFFSET $5
                """,
                parameters + [
                    PostgresParameter(uuid: page.cursor), PostgresParameter(page.limit), PostgresParameter(page.offset),
                ])
            return Listing(
                items: try result.rows.map(AlertStore.read), total: try total.first?.integer("total") ?? 0)
        }
    }

    /// An alert with what happened to it and what others were told of it, the oldest first.
    public func find(
        _ id: String
    ) throws -> (alert: Alert, events: [Alert.Event], deliveries: [WebhookDelivery.Report])? {
        guard let uuid = Identifier.parse(id, .alert) else { return nil }
        return try pool.withConnection { connection in
            try connection.transaction { connection in try AlertStore.details(uuid, connection) }
        }
    }

    /// The same of one that is changed at this moment.
    public func find(
        _ alert: Alert, in transaction: StoreTransaction
    ) throws -> (alert: Alert, events: [Alert.Event], deliveries: [WebhookDelivery.Report])? {
        try AlertStore.details(alert.id, transaction.connection)
    }

    private static func details(
        _ id: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> (alert: Alert, events: [Alert.Event], deliveries: [WebhookDelivery.Report])? {
        let found = try connection.run("SELECT \(columns) FROM alerts a WHERE a.id = $1", [.uuid(id)])
        guard let alert = try found.first.map(read) else { return nil }
        let events = try connection.run(
            """
            SELECT event, at AS moment, key_id, account_id, comment FROM alert_events
            WHERE alert_id = $1 ORDER BY at, id
            """, [.uuid(id)]
        ).rows.map(readEvent)
        return (alert, events, try WebhookStore.reports(of: id, connection))
    }

    static func read(_ row: PostgresRow) throws(PostgresError) -> Alert {
        let resolution = try row.optionalText("resolution")
        guard let comparison = AlertRule.Comparison(rawValue: try row.text("comparison")),
            let severity = AlertRule.Severity(rawValue: try row.text("severity")),
            let status = Alert.Status(rawValue: try row.text("status"))
        else { throw PostgresError(.decoding, "unreadable alert") }
        return Alert(
            id: try row.bytes("id"), ruleID: try row.bytes("rule_id"), ruleName: try row.text("rule_name"),
            metric: try row.text("metric"), comparison: comparison, threshold: try row.number("threshold"),
            severity: severity, subject: try row.text("subject"), node: try row.text("node"),
            message: try row.text("message"), value: try row.number("value"), status: status,
            triggeredAt: Timestamp(microseconds: try row.microseconds("triggered")),
            acknowledgedAt: try row.optionalMicroseconds("acknowledged").map(Timestamp.init(microseconds:)),
            resolvedAt: try row.optionalMicroseconds("resolved").map(Timestamp.init(microseconds:)),
            resolution: resolution.flatMap(Alert.Resolution.init(rawValue:)))
    }

    private static func readEvent(_ row: PostgresRow) throws(PostgresError) -> Alert.Event {
        guard let kind = Alert.Event.Kind(rawValue: try row.text("event")) else {
            throw PostgresError(.decoding, "unreadable event of an alert")
        }
        return Alert.Event(
            kind: kind, at: Timestamp(microseconds: try row.microseconds("moment")),
            keyID: try row.optionalBytes("key_id"), accountID: try row.optionalBytes("account_id"),
            comment: try row.optionalText("comment"))
    }
}
