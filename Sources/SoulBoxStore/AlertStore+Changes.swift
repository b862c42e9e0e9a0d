internal import Postgres
internal import SoulBoxModel

extension AlertStore {
    /// How far back changes are told, in seconds: more than anybody waits between two questions.
    public static let changeSeconds: Int64 = 3900
    private static let mostChanges: Int64 = 200

    /// How many alerts are open, and what happened to alerts lately, the oldest first.
    public func present() throws -> (open: Int64, changes: [AlertChange]) {
        try pool.withConnection { connection in
            let open = try connection.run("SELECT count(*) AS open FROM alerts WHERE status <> 'resolved'")
            let changes = try connection.run(
                """
                SELECT e.id AS change, e.event, e.at AS moment, \(AlertStore.columns) FROM (
                    SELECT * FROM alert_events WHERE at > now() - make_interval(secs => $1)
                    ORDER BY at DESC, id DESC LIMIT $2) e
                JOIN alerts a ON a.id = e.alert_id ORDER BY e.at, e.id
                """, [.integer(AlertStore.changeSeconds), .integer(AlertStore.mostChanges)]
            ).rows.map { row throws(PostgresError) in
                guard let kind = Alert.Event.Kind(rawValue: try row.text("event")) else {
                    throw PostgresError(.decoding, "unreadable event of an alert")
                }
                return AlertChange(
                    id: try row.bytes("change"), kind: kind,
                    at: Timestamp(microseconds: try row.microseconds("moment")), alert: try AlertStore.read(row))
            }
            return (try open.first?.integer("open") ?? 0, changes)
        }
    }
}
