internal import LinuxKernel

/// Brings a database to the newest version by numbered SQL files, forward only.
///
/// Each file runs in a transaction of its own and is recorded with its checksum. A recorded file that is gone or has
/// changed stops everything: such a database is not what the files say.
public struct Migrator {
    /// Nobody else migrates while this advisory lock is held.
    private static let lock = 0x534F_554C_424F_58

    private let directory: String

    /// Files of the form `0001_name.sql` in that directory.
    public init(directory: String) { self.directory = directory }

    /// Applies what is missing, or only names it. Returns the names.
    @discardableResult
    public func migrate(_ url: String, dryRun: Bool = false) throws -> [String] {
        let files = try readFiles()
        let connection = try PostgresConnection(url, statementMilliseconds: 600_000)
        try connection.run("SELECT pg_advisory_lock($1)", [.integer(Int64(Migrator.lock))])
        defer { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.integer(Int64(Migrator.lock))]) }
        try connection.runScript(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """)
        let applied = try connection.run("SELECT number, name, checksum FROM schema_migrations ORDER BY number").rows
        var missing = files
        for row in applied {
            let name = try row.text("name")
            guard let file = missing.first, file.name == name else {
                throw PostgresError(.migration, "the database has \(name), which the files lack or order differently")
            }
            guard try checksum(of: file.script, connection) == row.text("checksum") else {
                throw PostgresError(.migration, "\(name) has changed since it was applied")
            }
            missing.removeFirst()
        }
        if dryRun { return missing.map(\.name) }
        for file in missing {
            let sum = try checksum(of: file.script, connection)
            try connection.transaction { connection in
                try connection.runScript(file.script)
                try connection.run(
                    "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                    [.integer(Int64(file.number)), .text(file.name), .text(sum)])
            }
        }
        return missing.map(\.name)
    }

    private struct File {
        let number: Int
        let name: String
        let script: String
    }

    private func readFiles() throws -> [File] {
        var files: [File] = []
        for name in try Files.list(directory).sorted() where name.hasSuffix(".sql") {
            guard let number = Int(name.prefix(4)), name.dropFirst(4).first == "_" else {
                throw PostgresError(.migration, "\(name) is not named NNNN_name.sql")
            }
            guard number == files.count + 1 else { throw PostgresError(.migration, "\(name) is out of order") }
            files.append(File(number: number, name: name, script: try Files.readString("\(directory)/\(name)")))
        }
        return files
    }

    private func checksum(of script: String, _ connection: PostgresConnection) throws -> String {
        let row = try connection.run("SELECT encode(sha256($1::bytea), 'hex') AS sum", [.bytes(Array(script.utf8))])
            .first
        guard let row else { throw PostgresError(.decoding, "no checksum") }
        return try row.text("sum")
    }
}
