internal import Postgres

extension MetricStore {
    /// What the database knows now.
    public func figures() throws -> ServiceFigures {
        try pool.withConnection { connection in
            var figures = ServiceFigures()
            let sandboxes = try connection.run(
                "SELECT status, count(*) AS count FROM sandboxes WHERE status <> 'deleting' GROUP BY status")
            for row in sandboxes.rows { figures.sandboxes[try row.text("status")] = try row.integer("count") }
            let alerts = try connection.run(
                """
                SELECT severity, count(*) FILTER (WHERE status = 'active') AS active,
                    count(*) FILTER (WHERE status = 'acknowledged') AS acknowledged
                FROM alerts WHERE status <> 'resolved' GROUP BY severity
                """)
            for row in alerts.rows {
                guard let severity = AlertRule.Severity(rawValue: try row.text("severity")) else { continue }
                figures.alerts[severity] = ServiceFigures.OpenAlerts(
                    active: try row.integer("active"), acknowledged: try row.integer("acknowledged"))
            }
            let row = try connection.run(
                """
                SELECT
                    (SELECT count(*) FROM executions WHERE status = 'queued' AND owner IS NULL) AS queued,
                    (SELECT count(*) FROM executions
                        WHERE completed_at IS NULL AND status = 'running' AND sandbox_id IS NULL) AS running,
                    count(*) AS ended, count(*) FILTER (WHERE status IN ('failed', 'timeout')) AS failed
                FROM executions WHERE completed_at >= now() - interval '1 minute'
                """
            ).first
            if let row {
                figures.queued = try row.integer("queued")
                figures.running = try row.integer("running")
                figures.ended = try row.integer("ended")
                figures.failed = try row.integer("failed")
            }
            return figures
        }
    }
}
