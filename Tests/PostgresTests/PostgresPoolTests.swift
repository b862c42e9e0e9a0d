import Glibc
import LinuxKernel
import Postgres
import Synchronization
import TestDatabase
import Testing

@Suite("PostgreSQL pool")
struct PostgresPoolTests {
    private func backend(_ pool: PostgresPool) throws -> Int64? {
        try pool.withConnection { try $0.run("SELECT pg_backend_pid() AS pid").first?.integer("pid") }
    }

    private func kind(_ body: () throws -> Void) -> PostgresError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? PostgresError)?.kind
        }
    }

    @Test("15: of two transactions that lock each other out, the one that the server ends is run again")
    func deadlock() throws {
        let pool = PostgresPool(try TestDatabase().url, size: 3)
        try pool.withConnection { connection in
            try connection.runScript("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
        }
        let attempts = Mutex(0)
        let first = Monitor((locked: 0, ended: 0, failures: 0))
        for order in [(1, 2), (2, 1)] {
            WorkerThread.start(name: "test-deadlock") {
                do {
                    try pool.withConnection { connection in
                        attempts.withLock { $0 += 1 }
                        try connection.transaction { connection in
                            try connection.run("UPDATE t SET n = n + 1 WHERE id = \(order.0)")
                            first.update { $0.locked += 1 }
                            // Both have their first row before either wants its second.
                            _ = first.wait(until: MonotonicClock.now + 3_000_000_000) { $0.locked >= 2 ? true : nil }
                            try connection.run("UPDATE t SET n = n + 1 WHERE id = \(order.1)")
                        }
                    }
                } catch {
                    first.update { $0.failures += 1 }
                }
                first.update { $0.ended += 1 }
            }
        }
        let isOver = first.wait(until: MonotonicClock.now + 20_000_000_000) { $0.ended == 2 ? true : nil }
        #expect(isOver == true && first.read { $0.failures } == 0)
        #expect(attempts.withLock { $0 } == 3)
        let sum = try pool.withConnection { try $0.run("SELECT sum(n)::int AS n FROM t").first?.integer("n") }
        #expect(sum == 4)
    }

    @Test("gives each connection to one thread at a time, and makes no more than it may")
    func bounded() throws {
        let pool = PostgresPool(try TestDatabase().url, size: 3, waitMilliseconds: 30_000)
        let seen = Mutex<(busy: Set<Int64>, all: Set<Int64>, collisions: Int)>(([], [], 0))
        let done = Monitor((threads: 0, failures: 0))
        for _ in 0..<12 {
            WorkerThread.start(name: "test-pool") {
                for _ in 0..<20 {
                    do {
                        try pool.withConnection { connection in
                            let pid = try connection.run("SELECT pg_backend_pid() AS pid").first?.integer("pid") ?? -1
                            seen.withLock { state in
                                if !state.busy.insert(pid).inserted { state.collisions += 1 }
                                state.all.insert(pid)
                            }
                            try connection.run("SELECT pg_sleep(0.001)")
                            seen.withLock { _ = $0.busy.remove(pid) }
                        }
                    } catch {
                        done.update { $0.failures += 1 }
                    }
                }
                done.update { $0.threads += 1 }
            }
        }
        let failures = done.wait(until: MonotonicClock.now + 60_000_000_000) { $0.threads == 12 ? $0.failures : nil }
        #expect(failures == 0)
        #expect(seen.withLock { $0.collisions } == 0)
        #expect((1...3).contains(seen.withLock { $0.all.count }))
    }

    @Test("says that it is exhausted after the waiting time, and serves again afterwards")
    func exhausted() throws {
        let pool = PostgresPool(try TestDatabase().url, size: 1, waitMilliseconds: 100)
        try pool.withConnection { _ in
            let begin = MonotonicClock.now
            #expect(kind { try pool.check() } == .poolExhausted)
            #expect((90_000_000..<3_000_000_000).contains(MonotonicClock.now - begin))
        }
        try pool.check()
    }

    @Test("keeps a connection after a refused statement, and none after a timeout")
    func discards() throws {
        let pool = PostgresPool(try TestDatabase().url, size: 1, statementMilliseconds: 100)
        let first = try backend(pool)
        #expect(kind { try pool.withConnection { _ = try $0.run("SELECT 1 / 0") } } == .statement)
        #expect(try backend(pool) == first)
        #expect(kind { try pool.withConnection { _ = try $0.run("SELECT pg_sleep(10)") } } == .timeout)
        #expect(try backend(pool) != first)
    }

    @Test("throws away a connection that is left within a transaction")
    func openTransaction() throws {
        let database = try TestDatabase()
        try database.run("CREATE TABLE t (n integer)")
        let pool = PostgresPool(database.url, size: 1)
        try pool.withConnection { connection in
            try connection.runScript("BEGIN")
            try connection.run("INSERT INTO t VALUES (1)")
        }
        #expect(try pool.withConnection { try $0.run("SELECT count(*) AS n FROM t").first?.integer("n") } == 0)
    }

    @Test("replaces a connection that the server has ended in the meantime")
    func ended() throws {
        let database = try TestDatabase()
        let pool = PostgresPool(database.url, size: 1)
        let first = try #require(try backend(pool))
        try database.run("SELECT pg_terminate_backend(\(first), 5000)")
        let second = try #require(try backend(pool))
        #expect(second != first)
    }

    @Test("fails while the server is away, and serves again after its restart")
    func restart() throws {
        let server = try TestServer()
        let pool = PostgresPool(server.url(), size: 2)
        try pool.check()
        try server.stop()
        for _ in 0..<5 { #expect(kind { try pool.check() } == .connection) }
        try server.start()
        try pool.check()
        // None of the failures has kept a place.
        try pool.withConnection { _ in try pool.check() }
    }
}
