internal import Glibc
internal import Postgres
internal import SoulBoxModel

/// The right to raise and resolve alerts, which one process of all that share a database has.
///
/// It is an advisory lock of a session, and everything is done on that session: when its connection ends, however that
/// happens, the lock is free and nothing more can be done with it, so no two processes ever decide at once.
public final class AlertWatch {
    /// Its number among the advisory locks: "soulAlrt".
    private static let lock: Int64 = 0x736F_756C_416C_7274
    /// For how long the condition must not have held for an alert to be resolved, in seconds.
    public static let endSeconds: Int64 = 10

    private let connection: PostgresConnection

    /// Takes the right; nil when another process has it.
    public init?(_ url: String) throws {
        connection = try PostgresConnection(url)
        // A machine that is gone says no goodbye: its lock is free within 25 seconds. Nothing on a unix socket.
        try connection.runScript(
            """
            SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
            SET application_name = 'soulbox alerts \(getpid())'
            """)
        let result = try connection.run("SELECT pg_try_advisory_lock($1) AS taken", [.integer(AlertWatch.lock)])
        guard try result.first?.bool("taken") == true else { return nil }
    }

    /// Every subject of every rule that is enabled.
    ///
    /// The series are found by jumping along the primary key, and each rule reads its own time of its own series, so that
    /// what this costs does not grow with what is kept.
    public func readings() throws -> [AlertReading] {
        try connection.run(
            """
            WITH RECURSIVE series AS (
                (SELECT metric, node FROM metric_samples ORDER BY metric, node LIMIT 1)
                UNION ALL
                SELECT n.metric, n.node FROM series s CROSS JOIN LATERAL (
                    SELECT m.metric, m.node FROM metric_samples m WHERE (m.metric, m.node) > (s.metric, s.node)
                    ORDER BY m.metric, m.node LIMIT 1) n)
            SELECT \(AlertRuleStore.columns), s.metric AS measured, s.node, clock_timestamp() AS moment,
                l.at AS newest, l.value, w.first, w.count, w.holds, w.end_count, w.has_ended, h.resolved, a.id AS alert
            FROM alert_rules r
            JOIN series s ON s.metric = r.metric
                OR r.metric = 'component_up' AND s.metric LIKE 'component\\_%\\_up' AND s.metric <> 'component_up'
            CROSS JOIN LATERAL (
                SELECT m.at, m.value FROM metric_samples m WHERE m.metric = s.metric AND m.node = s.node
                ORDER BY m.at DESC LIMIT 1) l
            CROSS JOIN LATERAL (
                SELECT min(v.at) FILTER (WHERE v.is_within) AS first, count(*) FILTER (WHERE v.is_within) AS count,
                    coalesce(bool_and(v.holds) FILTER (WHERE v.is_within), false) AS holds,
                    count(*) FILTER (WHERE v.is_late) AS end_count,
                    coalesce(bool_and(NOT v.holds) FILTER (WHERE v.is_late), false) AS has_ended
                FROM (
                    SELECT m.at, alert_holds(m.value, r.comparison, r.threshold) AS holds,
                        m.at >= l.at - make_interval(secs => r.for_seconds) AS is_within,
                        m.at >= l.at - make_interval(secs => $1) AS is_late
                    FROM metric_samples m WHERE m.metric = s.metric AND m.node = s.node
                        AND m.at >= l.at - make_interval(secs => greatest(r.for_seconds, $1))) v) w
            LEFT JOIN LATERAL (
                SELECT CASE WHEN s.metric = 'component_up' OR s.metric NOT LIKE 'component\\_%\\_up' THEN s.node
                    ELSE substr(s.metric, 11, length(s.metric) - 13) || '@' || s.node END AS name) j ON true
            LEFT JOIN LATERAL (
                SELECT max(b.resolved_at) AS resolved FROM alerts b
                WHERE b.rule_id = r.id AND b.subject = j.name AND b.resolution = 'by_hand') h ON true
            LEFT JOIN alerts a ON a.rule_id = r.id AND a.subject = j.name AND a.status <> 'resolved'
            WHERE r.enabled ORDER BY r.id, s.metric, s.node
            """, [.integer(AlertWatch.endSeconds)]
        ).rows.map(AlertWatch.read)
    }

    /// Raises an alert, unless one about the same is open or its rule has changed since it was read. Nil then.
    public func trigger(_ reading: AlertReading, value: Double) throws -> Alert? {
        let rule = reading.rule
        return try connection.transaction { connection in
            let raised = try connection.run(
                """
                INSERT INTO alerts AS a (
                    id, rule_id, rule_name, metric, comparison, threshold, severity, subject, node, message, value)
                SELECT $1, r.id, r.name, $4, r.comparison, r.threshold, r.severity, $5, $6, $7, $8
                FROM alert_rules r WHERE r.id = $2 AND r.enabled AND r.revision = $3 FOR SHARE
                ON CONFLICT (rule_id, subject) WHERE status <> 'resolved' DO NOTHING
                RETURNING \(AlertStore.columns)
                """,
                [
                    .uuid(Identifier.makeUUID()), .uuid(rule.id), .integer(rule.revision), .text(reading.metric),
                    .text(reading.subject), .text(reading.node), .text(rule.message(reading.metric)),
                    .text("\(value)"),
                ]
            ).first.map(AlertStore.read)
            if let raised { try AlertStore.note(raised, .triggered, by: nil, comment: nil, connection) }
            return raised
        }
    }

    /// Resolves an alert whose condition has ended; nil when somebody else has resolved it meanwhile.
    public func resolve(_ alert: [UInt8]) throws -> Alert? {
        try connection.transaction { connection in
            let locked = try connection.run(
                "SELECT id FROM alerts WHERE id = $1 AND status <> 'resolved' FOR UPDATE", [.uuid(alert)])
            guard locked.count == 1 else { return nil }
            return try AlertStore.resolve(alert, .conditionEnded, by: nil, comment: nil, connection)
        }
    }

    /// Forgets alerts that were resolved that long ago, with all that belongs to them, a bounded number at a time. Returns
    /// how many.
    public func expire(days: Int) throws -> Int {
        try connection.run(
            """
            DELETE FROM alerts WHERE id IN (
                SELECT id FROM alerts WHERE status = 'resolved' AND resolved_at < now() - make_interval(days => $1)
                LIMIT 1000)
            """, [PostgresParameter(days)]
        ).changed
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> AlertReading {
        let newest = Timestamp(microseconds: try row.microseconds("newest"))
        return AlertReading(
            rule: try AlertRuleStore.read(row), metric: try row.text("measured"), node: try row.text("node"),
            now: Timestamp(microseconds: try row.microseconds("moment")), newestAt: newest,
            value: try row.number("value"),
            firstAt: try row.optionalMicroseconds("first").map(Timestamp.init(microseconds:)) ?? newest,
            count: try row.integer("count"), holds: try row.bool("holds"), endCount: try row.integer("end_count"),
            hasEnded: try row.bool("has_ended"),
            handResolvedAt: try row.optionalMicroseconds("resolved").map(Timestamp.init(microseconds:)),
            alert: try row.optionalBytes("alert"))
    }
}
