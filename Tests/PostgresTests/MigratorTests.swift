import Glibc
import LinuxKernel
import Postgres
import Synchronization
import TestDatabase
import Testing

@Suite("Migrations")
struct MigratorTests {
    /// A directory of migrations that the test writes.
    private final class Directory: Sendable {
        let path = "/tmp/soulbox-test-migrations-\(getpid())-\(UInt32.random(in: 0 ... .max))"

        init(_ files: [String: String]) throws {
            try Files.makeDirectory(path, mode: 0o700)
            for (name, script) in files { try write(name, script) }
        }

        deinit { try? Files.removeTree(path) }

        @discardableResult
        func migrate(_ url: String, dryRun: Bool = false) throws -> [String] {
            // Optimised code lets go of an object after its last use, and the directory goes with it.
            try withExtendedLifetime(self) { try Migrator(directory: path).migrate(url, dryRun: dryRun) }
        }

        func write(_ name: String, _ script: String) throws {
            try Files.writeAtomically("\(path)/\(name)", Array(script.utf8), mode: 0o600)
        }
    }

    private static let two = [
        "0001_a.sql": "CREATE TABLE a (n integer);", "0002_b.sql": "ALTER TABLE a ADD m integer; SELECT 1;",
    ]

    private func isRefused(_ directory: Directory, _ database: TestDatabase) -> Bool {
        do {
            try directory.migrate(database.url)
            return false
        } catch {
            return (error as? PostgresError)?.kind == .migration
        }
    }

    @Test("applies what is missing in order, once")
    func applies() throws {
        let database = try TestDatabase()
        let directory = try Directory(Self.two)
        #expect(try directory.migrate(database.url, dryRun: true) == ["0001_a.sql", "0002_b.sql"])
        #expect(try database.integer("SELECT count(*) FROM pg_tables WHERE tablename = 'a'") == 0)
        #expect(try directory.migrate(database.url) == ["0001_a.sql", "0002_b.sql"])
        #expect(try directory.migrate(database.url) == [])
        try directory.write("0003_c.sql", "CREATE TABLE c (n integer)")
        #expect(try directory.migrate(database.url) == ["0003_c.sql"])
        #expect(try database.integer("SELECT count(*) FROM schema_migrations") == 3)
    }

    @Test("refuses a file that has changed since, by a single character")
    func changed() throws {
        let database = try TestDatabase()
        let directory = try Directory(Self.two)
        try directory.migrate(database.url)
        try directory.write("0001_a.sql", "CREATE TABLE a (n integer); ")
        #expect(isRefused(directory, database))
    }

    @Test(
        "refuses files that are missing, doubled, out of order or misnamed",
        arguments: [
            ["0002_b.sql"], ["0001_a.sql", "0001_b.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "2_b.sql"],
            ["0001_a.sql", "0002.sql"], ["0000_a.sql"],
        ])
    func misnamed(names: [String]) throws {
        let database = try TestDatabase()
        let directory = try Directory(Dictionary(uniqueKeysWithValues: names.map { ($0, "SELECT 1") }))
        #expect(isRefused(directory, database))
    }

    @Test("refuses a database that is ahead of the files or has others")
    func ahead() throws {
        let database = try TestDatabase()
        try Directory(Self.two).migrate(database.url)
        #expect(isRefused(try Directory(["0001_a.sql": Self.two["0001_a.sql"] ?? ""]), database))
        #expect(isRefused(try Directory(["0001_other.sql": Self.two["0001_a.sql"] ?? ""]), database))
    }

    @Test("a file that fails leaves nothing behind, and those before it stay")
    func fails() throws {
        let database = try TestDatabase()
        let directory = try Directory(Self.two)
        try directory.write("0003_c.sql", "CREATE TABLE c (n integer); INSERT INTO c VALUES (1 / 0);")
        #expect(throws: PostgresError.self) { try directory.migrate(database.url) }
        #expect(try database.integer("SELECT count(*) FROM schema_migrations") == 2)
        #expect(try database.integer("SELECT count(*) FROM pg_tables WHERE tablename = 'c'") == 0)
        try directory.write("0003_c.sql", "CREATE TABLE c (n integer)")
        #expect(try directory.migrate(database.url) == ["0003_c.sql"])
    }

    @Test("several that migrate at once apply each file once")
    func concurrent() throws {
        let database = try TestDatabase()
        let directory = try Directory([
            "0001_a.sql": "CREATE TABLE a (n integer); SELECT pg_sleep(0.1); INSERT INTO a VALUES (1);"
        ])
        let done = Monitor<[Int?]>([])
        for _ in 0..<4 {
            WorkerThread.start(name: "test-migrate") {
                let applied = try? directory.migrate(database.url).count
                done.update { $0.append(applied) }
            }
        }
        let counts = done.wait(until: MonotonicClock.now + 30_000_000_000) { $0.count == 4 ? $0 : nil }
        #expect(counts?.compactMap(\.self).sorted() == [0, 0, 0, 1])
        #expect(try database.integer("SELECT count(*) FROM a") == 1)
    }

    @Test("the project's own migrations make a database")
    func own() throws {
        let database = try TestDatabase()
        let applied = try Migrator(directory: TestDatabase.migrations).migrate(database.url)
        #expect(!applied.isEmpty)
        #expect(try Migrator(directory: TestDatabase.migrations).migrate(database.url) == [])
        #expect(try database.integer("SELECT count(*) FROM executions") == 0)
    }
}
