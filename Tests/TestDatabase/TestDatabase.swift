internal import Postgres

/// A database of one test's own on the server that all tests share.
package struct TestDatabase: Sendable {
    private static let server = Result { try TestServer() }
    private static let migrated = Result {
        let database = try TestDatabase()
        try Migrator(directory: migrations).migrate(database.url)
        return database.name
    }

    /// The project's own migrations.
    package static let migrations =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/migrations"

    private let name: String

    /// What PQconnectdb takes.
    package let url: String

    /// Makes an empty database.
    package init() throws { try self.init(from: "template0") }

    /// Makes a database that has the project's tables.
    package static func withTables() throws -> TestDatabase { try TestDatabase(from: migrated.get()) }

    private init(from template: String) throws {
        let server = try TestDatabase.server.get()
        name = "test_\(UInt64.random(in: 0 ... .max))"
        url = server.url(name)
        try PostgresConnection(server.url()).runScript("CREATE DATABASE \(name) TEMPLATE \(template)")
    }

    /// Runs statements on a connection of their own.
    package func run(_ script: String) throws {
        // Hundreds of thousands of rows may take more than a request's ten seconds, on a busy machine.
        try PostgresConnection(url, statementMilliseconds: 60_000).runScript(script)
    }

    /// The first column, named `value`, of the first row: an integer.
    package func integer(_ query: String) throws -> Int64? {
        try PostgresConnection(url).run("SELECT (\(query))::bigint AS value").first?.optionalInteger("value")
    }
}
