internal import Postgres
public import SoulBoxModel

extension ExecutionStore {
    /// The channel that is notified when an execution waits for a scheduler.
    public static let queueChannel = "soulbox_queue"

    /// How old a heartbeat may be before its process counts as dead, in seconds.
    public static let heartbeatSeconds = 12

    /// Takes the oldest execution that waits for a scheduler; nil when none does. No two schedulers take the same.
    ///
    /// One whose request cannot be read, as after a change of its form, ends as lost instead of waiting for ever.
    public func takeQueued(process: [UInt8]) throws -> QueuedExecution? {
        try pool.withConnection { connection in
            while let row = try take(process, connection) {
                let id = try row.bytes("id")
                if let text = try row.optionalText("spec"), let json = try? JSONParser.parse(Array(text.utf8)),
                    let spec = ExecutionSpec(storage: json)
                {
                    return QueuedExecution(
                        id: Identifier.text(.execution, uuid: id), accountID: try row.bytes("account_id"), spec: spec,
                        createdAt: Timestamp(microseconds: try row.microseconds("created")))
                }
                try connection.run(
                    """
                    UPDATE executions SET status = 'failed', reason = 'lost', completed_at = now(), spec = NULL,
                        detail = 'its request can no longer be read'
                    WHERE id = $1 AND completed_at IS NULL
                    """, [.uuid(id)])
            }
            return nil
        }
    }

    private func take(_ process: [UInt8], _ connection: PostgresConnection) throws(PostgresError) -> PostgresRow? {
        try connection.run(
            """
            UPDATE executions SET owner = $1 WHERE id = (
                SELECT id FROM executions WHERE status = 'queued' AND owner IS NULL
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id, account_id, spec, created_at AS created
            """, [.uuid(process)]
        ).first
    }

    /// Puts back what a scheduler took and could not begin, for lack of room.
    public func putBack(_ id: String, process: [UInt8]) throws {
        guard let uuid = Identifier.parse(id, .execution) else { return }
        try pool.withConnection { connection in
            _ = try connection.run(
                "UPDATE executions SET owner = NULL WHERE id = $1 AND owner = $2 AND status = 'queued'",
                [.uuid(uuid), .uuid(process)])
        }
    }

    /// The time of the server's clock, for `sweepLost`.
    public func serverTime() throws -> Timestamp {
        try pool.withConnection { connection in
            let row = try connection.run("SELECT clock_timestamp() AS moment").first
            guard let row else { throw PostgresError(.decoding, "no time") }
            return Timestamp(microseconds: try row.microseconds("moment"))
        }
    }

    /// Ends as lost what belongs to processes that are gone. Returns the language of each.
    ///
    /// Not in the first seconds after the server's start: while it was away nobody could send a heartbeat.
    ///
    /// - Parameter moment: When the heartbeats are judged, by the server's clock. A statement that a halted server holds
    ///   back must not judge them by the time at which it is carried out at last.
    public func sweepLost(at moment: Timestamp) throws -> [Runtime] {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE executions e SET status = 'failed', reason = 'lost', completed_at = now(), spec = NULL,
                    detail = 'the process that carried it out has ended'
                WHERE e.completed_at IS NULL AND e.owner IS NOT NULL
                    AND e.created_at < from_microseconds($2) - make_interval(secs => $1)
                    AND pg_postmaster_start_time() < from_microseconds($2) - make_interval(secs => $1)
                    AND NOT EXISTS (
                        SELECT FROM processes p
                        WHERE p.id = e.owner AND p.heartbeat_at > from_microseconds($2) - make_interval(secs => $1))
                RETURNING e.runtime
                """, [.integer(Int64(ExecutionStore.heartbeatSeconds)), .integer(moment.microseconds)]
            ).rows.compactMap { Runtime(rawValue: try $0.text("runtime")) }
        }
    }

    /// Deletes results that are older than that many days, a bounded number at a time. Returns how many.
    public func expire(days: Int) throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                DELETE FROM executions WHERE id IN (
                    SELECT id FROM executions WHERE completed_at < now() - make_interval(days => $1) LIMIT 1000)
                """, [.integer(Int64(days))]
            ).changed
        }
    }
}
