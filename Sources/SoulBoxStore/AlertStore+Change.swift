internal import Postgres
internal import SoulBoxModel

extension AlertStore {
    /// Notes that somebody knows of an alert. One that is acknowledged already stays as it is.
    public func acknowledge(
        _ id: String, by caller: Caller, comment: String?, in transaction: StoreTransaction
    ) throws -> AlertAction {
        guard let alert = try AlertStore.lock(id, transaction.connection) else { return .notFound }
        switch alert.status {
        case .resolved: return .resolved
        case .acknowledged: return .done(alert)
        case .active:
            let changed = try AlertStore.update(
                alert.id, "status = 'acknowledged', acknowledged_at = clock_timestamp()", [], transaction.connection)
            try AlertStore.note(changed, .acknowledged, by: caller, comment: comment, transaction.connection)
            return .done(changed)
        }
    }

    /// Resolves an alert by hand. One that is resolved already stays as it is.
    public func resolve(
        _ id: String, by caller: Caller, comment: String?, in transaction: StoreTransaction
    ) throws -> AlertAction {
        guard let alert = try AlertStore.lock(id, transaction.connection) else { return .notFound }
        guard alert.status != .resolved else { return .done(alert) }
        return .done(
            try AlertStore.resolve(alert.id, .byHand, by: caller, comment: comment, transaction.connection))
    }

    /// Resolves all open alerts of a rule.
    static func resolveAll(
        of rule: [UInt8], _ resolution: Alert.Resolution, by caller: Caller, _ connection: PostgresConnection
    ) throws {
        let open = try connection.run(
            "SELECT id FROM alerts WHERE rule_id = $1 AND status <> 'resolved' ORDER BY id FOR UPDATE", [.uuid(rule)]
        ).rows.map { row throws(PostgresError) in try row.bytes("id") }
        for id in open { _ = try resolve(id, resolution, by: caller, comment: nil, connection) }
    }

    /// Resolves an alert whose row is locked.
    static func resolve(
        _ id: [UInt8], _ resolution: Alert.Resolution, by caller: Caller?, comment: String?,
        _ connection: PostgresConnection
    ) throws -> Alert {
        let alert = try update(
            id, "status = 'resolved', resolved_at = clock_timestamp(), resolution = $2", [.text(resolution.rawValue)],
            connection)
        try note(alert, .resolved, by: caller, comment: comment, connection)
        return alert
    }

    private static func lock(_ id: String, _ connection: PostgresConnection) throws -> Alert? {
        guard let uuid = Identifier.parse(id, .alert) else { return nil }
        return try connection.run(
            "SELECT \(columns) FROM alerts a WHERE a.id = $1 FOR UPDATE", [.uuid(uuid)]
        ).first.map(read)
    }

    private static func update(
        _ id: [UInt8], _ assignments: String, _ parameters: [PostgresParameter], _ connection: PostgresConnection
    ) throws -> Alert {
        let row = try connection.run(
            "UPDATE alerts a SET \(assignments) WHERE a.id = $1 RETURNING \(columns)", [.uuid(id)] + parameters
        ).first
        guard let row else { throw PostgresError(.decoding, "the alert is not there") }
        return try read(row)
    }

    /// Notes what happened to an alert, and what is to be told of it, with the change itself.
    static func note(
        _ alert: Alert, _ kind: Alert.Event.Kind, by caller: Caller?, comment: String?,
        _ connection: PostgresConnection
    ) throws {
        try connection.run(
            """
            INSERT INTO alert_events (id, alert_id, event, account_id, key_id, comment) VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .uuid(Identifier.makeUUID()), .uuid(alert.id), .text(kind.rawValue),
                PostgresParameter(uuid: caller?.accountID), PostgresParameter(uuid: caller?.keyID),
                PostgresParameter(comment),
            ])
        try WebhookStore.queue(alert, kind, comment: comment, connection)
    }
}
