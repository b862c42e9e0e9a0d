import Glibc
import LinuxKernel
import Postgres
import TestDatabase
import Testing

@Suite("PostgreSQL connection")
struct PostgresConnectionTests {
    private func failure(_ body: () throws -> Void) -> PostgresError? {
        do {
            try body()
            return nil
        } catch {
            return error as? PostgresError
        }
    }

    @Test(
        "text comes back as it went",
        arguments: [
            "", "plain", "it's \"quoted\" \\ $1 %s", "čeština 日本語 🧪", "line\nline\ttab",
            String(repeating: "x", count: 1 << 20),
        ])
    func text(value: String) throws {
        let connection = try PostgresConnection(TestDatabase().url)
        #expect(try connection.run("SELECT $1::text AS value", [.text(value)]).first?.text("value") == value)
    }

    @Test("bytes come back as they went, zeros and none of them too")
    func bytes() throws {
        let connection = try PostgresConnection(TestDatabase().url)
        let all = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
        for value in [[], [0], [0, 1, 0], [0x5C, 0x78, 0xFF], all] {
            let row = try connection.run("SELECT $1::bytea AS value, length($1::bytea) AS size", [.bytes(value)]).first
            #expect(try row?.bytes("value") == value)
            #expect(try row?.integer("size") == Int64(value.count))
        }
    }

    @Test("integers of every width keep their sign", arguments: [0, 1, -1, 32_767, -32_768])
    func integers(value: Int64) throws {
        let connection = try PostgresConnection(TestDatabase().url)
        for type in ["int2", "int4", "int8"] {
            let row = try connection.run("SELECT $1::\(type) AS value", [.integer(value)]).first
            #expect(try row?.integer("value") == value)
        }
        for extreme in [Int64.min, Int64.max] {
            #expect(
                try connection.run("SELECT $1::int8 AS value", [.integer(extreme)]).first?.integer("value") == extreme)
        }
    }

    @Test(
        "lists of text come back as they went",
        arguments: [[], [""], ["a", "b"], ["NULL", "null"], ["{", "}", ","], ["\"", "\\", "\\\"", "a b"], ["ž"]])
    func lists(value: [String]) throws {
        let connection = try PostgresConnection(TestDatabase().url)
        let row = try connection.run("SELECT $1::text[] AS value, cardinality($1::text[]) AS size", [.textArray(value)])
            .first
        #expect(try row?.textArray("value") == value)
        #expect(try row?.integer("size") == Int64(value.count))
    }

    @Test("null is told from a value, and refused where a value is needed")
    func null() throws {
        let connection = try PostgresConnection(TestDatabase().url)
        let row = try #require(
            try connection.run(
                "SELECT $1::text AS t, $2::int8 AS i, $3::bytea AS b, true AS yes, false AS no",
                [PostgresParameter(String?.none), PostgresParameter(Int64?.none), PostgresParameter(bytes: nil)]
            ).first)
        #expect(try row.optionalText("t") == nil)
        #expect(try row.optionalInteger("i") == nil)
        #expect(try row.optionalBytes("b") == nil)
        #expect(try row.bool("yes"))
        #expect(try !row.bool("no"))
        #expect(failure { _ = try row.text("t") }?.kind == .decoding)
        #expect(failure { _ = try row.integer("i") }?.kind == .decoding)
        #expect(failure { _ = try row.text("absent") }?.kind == .decoding)
    }

    @Test("a refused statement tells its code and none of the data")
    func errors() throws {
        let connection = try PostgresConnection(TestDatabase().url)
        try connection.runScript("CREATE TABLE things (name text PRIMARY KEY, size integer CHECK (size > 0))")
        let insert = "INSERT INTO things VALUES ($1, $2)"
        try connection.run(insert, [.text("hunter2"), .integer(1)])
        let cases: [(String, () throws -> Void)] = [
            ("23505", { try connection.run(insert, [.text("hunter2"), .integer(1)]) }),
            ("23514", { try connection.run(insert, [.text("hunter2 "), .integer(-1)]) }),
            ("22P02", { try connection.run(insert, [.text("x"), .text("hunter2")]) }),
            ("22008", { try connection.run("SELECT $1::text::date", [.text("2024-99-99 hunter2")]) }),
            ("P0001", { try connection.runScript("DO $$ BEGIN RAISE 'hunter2'; END $$") }),
        ]
        for (state, body) in cases {
            let error = try #require(failure(body))
            #expect(error.kind == .statement)
            #expect(error.sqlState == state || state == "22008" && error.sqlState.hasPrefix("22"))
            #expect(!error.description.contains("hunter2"))
        }
        // The connection is as good as before.
        #expect(connection.isUsable)
        #expect(try connection.run("SELECT count(*) AS n FROM things").first?.integer("n") == 1)
    }

    @Test("a statement that fails to prepare does not spoil the next")
    func prepare() throws {
        let connection = try PostgresConnection(TestDatabase().url)
        #expect(failure { try connection.run("SELECT nothing") }?.sqlState == "42703")
        try connection.runScript("CREATE TABLE later (n integer)")
        for value in 1...3 { try connection.run("INSERT INTO later VALUES ($1)", [.integer(Int64(value))]) }
        #expect(try connection.run("SELECT sum(n) AS n FROM later").first?.integer("n") == 6)
        #expect(try connection.run("DELETE FROM later WHERE n > $1", [.integer(1)]).changed == 2)
    }

    @Test("a transaction is kept whole or not at all")
    func transaction() throws {
        struct Change: Error {}
        let connection = try PostgresConnection(TestDatabase().url)
        try connection.runScript("CREATE TABLE t (n integer)")
        #expect(throws: Change.self) {
            try connection.transaction { connection in
                try connection.run("INSERT INTO t VALUES (1)")
                throw Change()
            }
        }
        #expect(connection.isUsable)
        _ = try connection.transaction { try $0.run("INSERT INTO t VALUES (2)") }
        #expect(try connection.run("SELECT sum(n) AS n FROM t").first?.integer("n") == 2)
    }

    @Test("a slow statement is ended by the server")
    func slow() throws {
        let connection = try PostgresConnection(TestDatabase().url, statementMilliseconds: 200)
        let begin = MonotonicClock.now
        let error = failure { try connection.run("SELECT pg_sleep(30)") }
        #expect(error?.kind == .timeout)
        #expect(error?.sqlState == "57014")
        #expect(MonotonicClock.now - begin < 5_000_000_000)
    }

    @Test("a server that has stopped answering is given up")
    func stopped() throws {
        let connection = try PostgresConnection(TestDatabase().url, statementMilliseconds: 200)
        let backend = try #require(try connection.run("SELECT pg_backend_pid() AS pid").first?.integer("pid"))
        kill(Int32(backend), SIGSTOP)
        defer { kill(Int32(backend), SIGCONT) }
        let begin = MonotonicClock.now
        #expect(failure { try connection.run("SELECT 1") }?.kind == .timeout)
        #expect(MonotonicClock.now - begin < 5_000_000_000)
    }

    @Test("no server is an error at once")
    func absent() {
        let begin = MonotonicClock.now
        #expect(failure { _ = try PostgresConnection("host=/nonexistent dbname=x") }?.kind == .connection)
        #expect(MonotonicClock.now - begin < 2_000_000_000)
    }
}
