public import Postgres
internal import SoulBoxModel

/// What is to be sent to those whom rules tell: an outbox, filled with the changes it tells of.
public struct WebhookStore: Sendable {
    /// Notified when something is to be sent.
    public static let channel = "soulbox_webhooks"
    /// How often something is sent at most.
    public static let attempts: Int64 = 8
    /// How long whoever sends something may take before somebody else does, in seconds.
    public static let leaseSeconds = 60

    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Takes what is due longest. No two processes take the same; what is told of one alert is taken in its order.
    public func take() throws -> WebhookDelivery? {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE webhook_deliveries SET status = 'failed', finished_at = now(), leased_until = NULL,
                    error = 'the process that sent it ended'
                WHERE status = 'pending' AND leased_until < now() AND attempts >= $1
                """, [.integer(WebhookStore.attempts)])
            return try connection.run(
                """
                UPDATE webhook_deliveries d SET attempts = attempts + 1,
                    leased_until = now() + make_interval(secs => $1)
                WHERE d.id = (
                    SELECT w.id FROM webhook_deliveries w
                    WHERE w.status = 'pending' AND w.due_at <= now() AND (w.leased_until IS NULL OR w.leased_until < now())
                        AND NOT EXISTS (
                            SELECT FROM webhook_deliveries e
                            WHERE e.alert_id = w.alert_id AND e.status = 'pending' AND e.number < w.number)
                    ORDER BY w.due_at, w.number LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING d.id, d.rule_id, d.url, d.secret, d.body, d.attempts
                """, [PostgresParameter(WebhookStore.leaseSeconds)]
            ).first.map { row throws(PostgresError) in
                WebhookDelivery(
                    id: try row.bytes("id"), ruleID: try row.bytes("rule_id"), url: try row.text("url"),
                    sealedSecret: try row.bytes("secret"), body: try row.text("body"),
                    attempts: try row.integer("attempts"))
            }
        }
    }

    /// Notes that something was taken.
    public func finish(_ delivery: WebhookDelivery, httpStatus: Int) throws {
        try change(
            delivery, "status = 'delivered', finished_at = now(), http_status = $3, error = NULL",
            [PostgresParameter(httpStatus)])
    }

    /// Notes that an attempt failed: it is made again after that time, or never if it was the last.
    public func fail(
        _ delivery: WebhookDelivery, httpStatus: Int?, error: String, againAfterMilliseconds pause: Int64
    ) throws {
        try change(
            delivery,
            """
            status = CASE WHEN attempts >= $5 THEN 'failed' ELSE 'pending' END,
            finished_at = CASE WHEN attempts >= $5 THEN now() END, http_status = $3, error = $4,
            due_at = now() + make_interval(secs => $6 / 1000.0)
            """,
            [
                PostgresParameter(httpStatus), .text(String(error.prefix(500))), .integer(WebhookStore.attempts),
                .integer(pause),
            ])
    }

    private func change(
        _ delivery: WebhookDelivery, _ assignments: String, _ more: [PostgresParameter]
    ) throws {
        try pool.withConnection { connection in
            _ = try connection.run(
                """
                UPDATE webhook_deliveries SET leased_until = NULL, \(assignments)
                WHERE id = $1 AND attempts = $2 AND status = 'pending'
                """, [.uuid(delivery.id), .integer(delivery.attempts)] + more)
        }
    }

    /// Notes what is to be told of a change of an alert, if its rule tells anybody.
    static func queue(
        _ alert: Alert, _ kind: Alert.Event.Kind, comment: String?, _ connection: PostgresConnection
    ) throws(PostgresError) {
        let id = Identifier.makeUUID()
        let body = JSONValue.object(
            JSONObject([
                ("event", .string("alert.\(kind.rawValue)")),
                ("delivery_id", .string(Identifier.text(.delivery, uuid: id))),
                ("at", .string(Timestamp.now.rfc3339)), ("comment", JSONValue(comment)),
                ("alert", .object(alert.json)),
            ]))
        let queued = try connection.run(
            """
            INSERT INTO webhook_deliveries (id, alert_id, rule_id, event, url, secret, body)
            SELECT $1, $2, r.id, $4, r.webhook_url, r.webhook_secret, $5 FROM alert_rules r
            WHERE r.id = $3 AND r.webhook_url IS NOT NULL
            """, [.uuid(id), .uuid(alert.id), .uuid(alert.ruleID), .text(kind.rawValue), .text(body.text)])
        if queued.changed > 0 { try connection.run("SELECT pg_notify($1, '')", [.text(channel)]) }
    }

    /// Sends what a rule still has to tell to another place, or not at all.
    static func redirect(
        _ rule: [UInt8], to webhook: AlertRule.Webhook?, _ connection: PostgresConnection
    ) throws(PostgresError) {
        guard let webhook else {
            try connection.run(
                """
                UPDATE webhook_deliveries SET status = 'cancelled', finished_at = now(), leased_until = NULL
                WHERE rule_id = $1 AND status = 'pending'
                """, [.uuid(rule)])
            return
        }
        try connection.run(
            "UPDATE webhook_deliveries SET url = $2, secret = $3 WHERE rule_id = $1 AND status = 'pending'",
            [.uuid(rule), .text(webhook.url), .bytes(webhook.sealedSecret)])
    }

    /// What was and is to be told of an alert.
    static func reports(
        of alert: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> [WebhookDelivery.Report] {
        try connection.run(
            """
            SELECT id, event, status, attempts, CASE WHEN status = 'pending' THEN due_at END AS due,
                finished_at AS finished, http_status, error
            FROM webhook_deliveries WHERE alert_id = $1 ORDER BY number
            """, [.uuid(alert)]
        ).rows.map { row throws(PostgresError) in
            guard let status = WebhookDelivery.Status(rawValue: try row.text("status")) else {
                throw PostgresError(.decoding, "unreadable delivery")
            }
            return WebhookDelivery.Report(
                id: try row.bytes("id"), event: try row.text("event"), status: status,
                attempts: try row.integer("attempts"),
                dueAt: try row.optionalMicroseconds("due").map(Timestamp.init(microseconds:)),
                finishedAt: try row.optionalMicroseconds("finished").map(Timestamp.init(microseconds:)),
                httpStatus: try row.optionalInteger("http_status"), error: try row.optionalText("error"))
        }
    }
}
