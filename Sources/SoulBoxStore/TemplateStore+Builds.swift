internal import Postgres
public import SoulBoxModel

extension TemplateStore {
    /// How long a build stays with the process that took it since that said last that it builds, in seconds.
    public static let leaseSeconds = 30

    /// How often a build is begun whose process died.
    public static let attempts = 3

    /// What is kept of a build's output, in bytes.
    public static let logBytes = 256 << 10

    /// Takes the build that waits longest, or one whose process has ended; nil when there is none. No two schedulers take the
    /// same.
    public func takeBuild(process: [UInt8]) throws -> TemplateBuild? {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE template_versions SET status = 'failed', owner = NULL, leased_until = NULL, finished_at = now(),
                    error = 'the process that built it ended, again and again'
                WHERE status = 'building' AND leased_until < now() AND attempts >= $1
                """, [PostgresParameter(TemplateStore.attempts)])
            let row = try connection.run(
                """
                UPDATE template_versions b SET status = 'building', owner = $1, attempts = attempts + 1, log = '',
                    leased_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, now())
                FROM templates t
                WHERE t.id = b.template_id AND (b.template_id, b.version) = (
                    SELECT w.template_id, w.version FROM template_versions w
                    WHERE w.status = 'queued' OR w.status = 'building' AND w.leased_until < now()
                    ORDER BY w.created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING b.template_id, b.version, b.attempts, b.spec, t.account_id, t.runtime
                """, [.uuid(process), PostgresParameter(TemplateStore.leaseSeconds)]
            ).first
            guard let row else { return nil }
            guard let runtime = Runtime(rawValue: try row.text("runtime")),
                let spec = (try? JSONParser.parse(Array(try row.text("spec").utf8))).flatMap(TemplateSpec.init)
            else { throw PostgresError(.decoding, "unreadable version of a template") }
            return TemplateBuild(
                templateID: try row.bytes("template_id"), accountID: try row.bytes("account_id"),
                version: Int(try row.integer("version")), attempt: Int(try row.integer("attempts")), runtime: runtime,
                spec: spec)
        }
    }

    /// Says that a build goes on; false when it is somebody else's by now, or not wanted any more.
    public func extend(_ build: TemplateBuild, process: [UInt8]) throws -> Bool {
        try change(
            build, process, "leased_until = now() + make_interval(secs => $5)",
            [PostgresParameter(TemplateStore.leaseSeconds)])
    }

    /// Adds to what a build has said; false when it is somebody else's by now.
    public func append(_ text: String, to build: TemplateBuild, process: [UInt8]) throws -> Bool {
        try change(build, process, "log = log || $5", [.text(text)])
    }

    /// Notes that from now on there may be an image: whatever happens, it is looked for and removed unless it is used.
    public func expectImage(of build: TemplateBuild, process: [UInt8]) throws -> Bool {
        try change(build, process, "has_image = true", [])
    }

    /// Puts back what a scheduler took and cannot go on with.
    @discardableResult
    public func putBack(_ build: TemplateBuild, process: [UInt8]) throws -> Bool {
        try change(build, process, "status = 'queued', owner = NULL, leased_until = NULL", [])
    }

    /// Notes that a version can be used; new sandboxes are made from it.
    public func finish(
        _ build: TemplateBuild, process: [UInt8], size: Int64, packages: [ImageManifest.Package]
    ) throws -> Bool {
        let installed = JSONValue.object(JSONObject(packages.map { ($0.name, .string($0.version)) }))
        return try pool.withConnection { connection in
            try connection.transaction { connection in
                let done = try connection.run(
                    """
                    UPDATE template_versions SET status = 'ready', owner = NULL, leased_until = NULL, error = NULL,
                        finished_at = now(), size_bytes = $5, packages_installed = $6
                    WHERE template_id = $1 AND version = $2 AND attempts = $3 AND owner = $4 AND status = 'building'
                    """, TemplateStore.parameters(build, process) + [.integer(size), .text(installed.text)])
                guard done.changed == 1 else { return false }
                try connection.run(
                    "UPDATE templates SET version = $2, updated_at = now() WHERE id = $1",
                    [.uuid(build.templateID), PostgresParameter(build.version)])
                return true
            }
        }
    }

    /// Notes that a version cannot be built.
    @discardableResult
    public func fail(_ build: TemplateBuild, process: [UInt8], reason: String) throws -> Bool {
        try change(
            build, process,
            "status = 'failed', owner = NULL, leased_until = NULL, finished_at = now(), error = $5", [.text(reason)])
    }

    private func change(
        _ build: TemplateBuild, _ process: [UInt8], _ assignments: String, _ more: [PostgresParameter]
    ) throws -> Bool {
        try pool.withConnection { connection in
            try connection.run(
                """
                UPDATE template_versions SET \(assignments)
                WHERE template_id = $1 AND version = $2 AND attempts = $3 AND owner = $4 AND status = 'building'
                """, TemplateStore.parameters(build, process) + more
            ).changed == 1
        }
    }

    private static func parameters(_ build: TemplateBuild, _ process: [UInt8]) -> [PostgresParameter] {
        [
            .uuid(build.templateID), PostgresParameter(build.version), PostgresParameter(build.attempt),
            .uuid(process),
        ]
    }

    /// Whether somebody builds that at this moment.
    public func isBuilding(_ name: TemplateBuildName) throws -> Bool {
        guard let id = Identifier.parse(name.image.template, .template) else { return false }
        return try pool.withConnection { connection in
            try connection.run(
                """
                SELECT FROM template_versions
                WHERE template_id = $1 AND version = $2 AND attempts = $3 AND status = 'building'
                """, [.uuid(id), PostgresParameter(name.image.version), PostgresParameter(name.attempt)]
            ).rows.count == 1
        }
    }
}
