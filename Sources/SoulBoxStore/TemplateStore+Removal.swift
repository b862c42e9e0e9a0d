internal import Postgres
public import SoulBoxModel

extension TemplateStore {
    /// How long an image is kept after a newer one took its place, in seconds: a request that found the older one a moment
    /// before has noted its sandbox by then.
    private static let supersededSeconds = 60

    /// How many versions of a template are remembered, with what their builds said.
    private static let versionsKept = 10

    /// Begins to delete a template that nothing is made from: from now on it is gone for its account.
    ///
    /// - Parameter force: Whether a build of it is given up.
    public func delete(
        _ id: String, account: [UInt8], force: Bool, in transaction: StoreTransaction
    ) throws -> TemplateRefusal? {
        guard let uuid = Identifier.parse(id, .template) else { return .notFound }
        let connection = transaction.connection
        // Whoever makes a sandbox from it holds the row until that is noted. Apart from the counting, which must see that.
        let held = try connection.run(
            "SELECT FROM templates WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL FOR UPDATE",
            [.uuid(uuid), .uuid(account)])
        guard held.rows.count == 1 else { return .notFound }
        let row = try connection.run(
            """
            SELECT EXISTS (SELECT FROM template_versions WHERE template_id = $1 AND finished_at IS NULL) AS building,
                (SELECT count(*) FROM sandboxes WHERE template = $2 AND template_version IS NOT NULL) AS sandboxes,
                (SELECT count(*) FROM snapshots
                    WHERE template = $2 AND template_version IS NOT NULL AND status <> 'failed') AS snapshots,
                (SELECT count(*) FROM executions e WHERE e.completed_at IS NULL AND e.template IN (
                    SELECT $2 || '-v' || version FROM template_versions WHERE template_id = $1)) AS executions
            """, [.uuid(uuid), .text(id)]
        ).first
        guard let row else { throw PostgresError(.decoding, "no count") }
        let (sandboxes, snapshots) = (try row.integer("sandboxes"), try row.integer("snapshots"))
        let executions = try row.integer("executions")
        guard sandboxes == 0, snapshots == 0, executions == 0 else {
            return .inUse(sandboxes: sandboxes, snapshots: snapshots, executions: executions)
        }
        guard try !row.bool("building") || force else { return .building }
        try connection.run(
            """
            UPDATE template_versions SET status = 'cancelled', owner = NULL, leased_until = NULL, finished_at = now()
            WHERE template_id = $1 AND finished_at IS NULL
            """, [.uuid(uuid)])
        try connection.run(
            "UPDATE templates SET deleted_at = now(), updated_at = now() WHERE id = $1", [.uuid(uuid)])
        return nil
    }

    /// Images that nothing is made from any more: of deleted templates, of builds that came to nothing, and of versions that
    /// newer ones took the place of.
    public func unusedImages() throws -> [(image: TemplateImageName, account: String)] {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT t.id, t.account_id, v.version FROM template_versions v JOIN templates t ON t.id = v.template_id
                WHERE v.has_image AND v.finished_at IS NOT NULL
                    AND (t.deleted_at IS NOT NULL OR v.status <> 'ready'
                        OR v.version <> t.version AND t.updated_at < now() - make_interval(secs => $1))
                ORDER BY t.id, v.version LIMIT 100
                """, [PostgresParameter(TemplateStore.supersededSeconds)]
            ).rows.map { row throws(PostgresError) in
                (
                    TemplateImageName(
                        template: Identifier.text(.template, uuid: try row.bytes("id")),
                        version: Int(try row.integer("version"))),
                    Identifier.text(.account, uuid: try row.bytes("account_id"))
                )
            }.filter { try !isUsed($0.0, connection) }
        }
    }

    private func isUsed(_ image: TemplateImageName, _ connection: PostgresConnection) throws(PostgresError) -> Bool {
        let row = try connection.run(
            """
            SELECT EXISTS (SELECT FROM sandboxes WHERE template = $1 AND template_version = $2)
                OR EXISTS (SELECT
                    FROM snapshots WHERE template = $1 AND template_version = $2 AND status <> 'failed')
                OR EXISTS (SELECT FROM executions WHERE template = $3 AND completed_at IS NULL) AS used
            """, [.text(image.template), PostgresParameter(image.version), .text(image.text)]
        ).first
        return try row?.bool("used") ?? true
    }

    /// Notes that the isolation service has no such image any more.
    public func noteRemoved(_ image: TemplateImageName) throws {
        guard let id = Identifier.parse(image.template, .template) else { return }
        try pool.withConnection { connection in
            _ = try connection.run(
                "UPDATE template_versions SET has_image = false WHERE template_id = $1 AND version = $2",
                [.uuid(id), PostgresParameter(image.version)])
        }
    }

    /// Forgets deleted templates of which no image is left, and the oldest versions of others. Returns how many.
    public func forgetOld() throws -> Int {
        try pool.withConnection { connection in
            let versions = try connection.run(
                """
                DELETE FROM template_versions v USING templates t
                WHERE t.id = v.template_id AND v.version <= t.newest - $1 AND v.version IS DISTINCT FROM t.version
                    AND NOT v.has_image AND v.finished_at IS NOT NULL
                """, [PostgresParameter(TemplateStore.versionsKept)]
            ).changed
            return versions
                + (try connection.run(
                    """
                    DELETE FROM templates t WHERE t.deleted_at IS NOT NULL AND NOT EXISTS (
                        SELECT FROM template_versions v
                        WHERE v.template_id = t.id AND (v.has_image OR v.finished_at IS NULL))
                    """
                ).changed)
        }
    }
}
