import LinuxKernel
import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Queue and sweeps")
struct ExecutionQueueTests {
    /// A store that is told another start of the server than the real one.
    private func executions(serverStart start: String, _ store: StoreFixture) throws -> ExecutionStore {
        try store.database.run(
            """
            CREATE OR REPLACE FUNCTION public.pg_postmaster_start_time() RETURNS timestamptz
                LANGUAGE sql STABLE AS $$ SELECT \(start) $$;
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
            END $$;
            """)
        // The search path is that of new connections only.
        return ExecutionStore(PostgresPool(store.database.url, size: 1))
    }

    @Test("is taken oldest first, whole, and once")
    func order() throws {
        let store = try StoreFixture()
        let ids = try (0..<3).map { _ in try store.admit(owner: nil) }.sorted()
        _ = try store.admit(owner: Identifier.makeUUID())
        let process = Identifier.makeUUID()
        for id in ids {
            let taken = try #require(try store.executions.takeQueued(process: process))
            #expect(taken.id == id)
            #expect(taken.accountID == store.account)
            #expect(taken.spec == StoreFixture.spec)
        }
        #expect(try store.executions.takeQueued(process: process) == nil)
        #expect(try store.executions.markRunning(ids[0], process: process))
    }

    @Test("several takers never take the same")
    func concurrent() throws {
        let store = try StoreFixture()
        let ids = try (0..<60).map { _ in try store.admit(owner: nil) }
        let done = Monitor<(taken: [String], threads: Int)>(([], 0))
        for _ in 0..<6 {
            let executions = store.executions
            WorkerThread.start(name: "test-take") {
                let process = Identifier.makeUUID()
                while let taken = try? executions.takeQueued(process: process) {
                    done.update { $0.taken.append(taken.id) }
                }
                done.update { $0.threads += 1 }
            }
        }
        let taken = done.wait(until: MonotonicClock.now + 60_000_000_000) { $0.threads == 6 ? $0.taken : nil }
        #expect(taken?.sorted() == ids.sorted())
    }

    @Test("what was put back is taken again, by its taker's leave only")
    func putBack() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: nil)
        let process = Identifier.makeUUID()
        #expect(try store.executions.takeQueued(process: process)?.id == id)
        try store.executions.putBack(id, process: Identifier.makeUUID())
        #expect(try store.executions.takeQueued(process: process) == nil)
        try store.executions.putBack(id, process: process)
        #expect(try store.executions.takeQueued(process: process)?.id == id)
        #expect(try store.executions.markRunning(id, process: process))
        try store.executions.putBack(id, process: process)
        #expect(try store.executions.takeQueued(process: process) == nil)
    }

    @Test("what was cancelled is not taken, and its code is gone")
    func cancelled() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: nil)
        #expect(try store.database.integer("SELECT count(spec) FROM executions") == 1)
        #expect(try store.executions.requestCancel(id, account: store.account) == .cancelledBeforeStart)
        #expect(try store.executions.takeQueued(process: Identifier.makeUUID()) == nil)
        #expect(try store.database.integer("SELECT count(spec) FROM executions") == 0)
    }

    @Test("schedulers are told of what waits for them, and of nothing else")
    func notifies() throws {
        let store = try StoreFixture()
        let listener = PostgresListener(store.database.url, channel: ExecutionStore.queueChannel)
        #expect(try listener.wait(milliseconds: 100))
        _ = try store.admit(owner: Identifier.makeUUID())
        #expect(try !listener.wait(milliseconds: 100))
        _ = try store.admit(owner: nil)
        #expect(try listener.wait(milliseconds: 5000))
    }

    @Test("what a dead process owned is lost, and nothing else")
    func lost() throws {
        let store = try StoreFixture()
        let sweeper = try executions(serverStart: "now() - interval '1 hour'", store)
        let alive = try store.processes.register(kind: "worker")
        let silent = try store.processes.register(kind: "worker")
        let gone = Identifier.makeUUID()
        let running = try [alive, silent, gone].map { process in
            let id = try store.admit(owner: process)
            #expect(try store.executions.markRunning(id, process: process))
            return id
        }
        let queued = try [alive, silent, gone].map { try store.admit(owner: $0) }
        let waiting = try store.admit(owner: nil)
        #expect(try sweeper.sweepLost(at: sweeper.serverTime()).count == 0)
        try store.database.run("UPDATE executions SET created_at = created_at - interval '13 s'")
        #expect(try sweeper.sweepLost(at: sweeper.serverTime()).count == 2)
        try store.database.run(
            "UPDATE processes SET heartbeat_at = now() - CASE WHEN id = '\(uuid(silent))' THEN interval '13 s' ELSE '10 s' END"
        )
        #expect(try sweeper.sweepLost(at: sweeper.serverTime()).count == 2)
        #expect(try sweeper.sweepLost(at: sweeper.serverTime()).count == 0)
        for (id, isLost) in zip(running + queued, [false, true, true, false, true, true]) {
            let record = try #require(try store.executions.find(id, account: store.account))
            #expect(record.status.isFinal == isLost)
            #expect((record.termination?.reason == .lost && record.status == .failed) == isLost)
        }
        #expect(try store.executions.takeQueued(process: alive)?.id == waiting)
        // Whoever was taken for dead and lives cannot change what was told.
        #expect(try !store.executions.finish(running[1], store.finished(running[1])))
        #expect(try !store.executions.markRunning(queued[1], process: silent))
    }

    @Test("nothing is lost in the first seconds after the server's start")
    func restarted() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: Identifier.makeUUID())
        try store.database.run("UPDATE executions SET created_at = created_at - interval '1 hour'")
        let now = try store.executions.serverTime()
        #expect(try executions(serverStart: "now() - interval '11 s'", store).sweepLost(at: now).count == 0)
        #expect(try executions(serverStart: "now() - interval '14 s'", store).sweepLost(at: now).count == 1)
        #expect(try store.executions.find(id, account: store.account)?.status == .failed)
    }

    @Test("heartbeats are judged by the time that was read before, not by that of a late statement")
    func late() throws {
        let store = try StoreFixture()
        let sweeper = try executions(serverStart: "now() - interval '1 hour'", store)
        let id = try store.admit(owner: store.processes.register(kind: "worker"))
        try store.database.run("UPDATE executions SET created_at = created_at - interval '1 hour'")
        let now = try sweeper.serverTime()
        let before = Timestamp(microseconds: now.microseconds - 15_000_000)
        try store.database.run("UPDATE processes SET heartbeat_at = now() - interval '15 s'")
        #expect(try sweeper.sweepLost(at: before).count == 0)
        #expect(try store.executions.find(id, account: store.account)?.status == .queued)
        #expect(try sweeper.sweepLost(at: now).count == 1)
    }

    @Test("what cannot be read ends, and the next in line is taken")
    func unreadable() throws {
        let store = try StoreFixture()
        let ids = try (0..<3).map { _ in try store.admit(owner: nil) }.sorted()
        for (id, spec) in zip(ids, ["'{\"runtime\":\"cobol\"}'", "NULL"]) {
            let bytes = Identifier.parse(id, .execution) ?? []
            try store.database.run("UPDATE executions SET spec = \(spec) WHERE id = '\(uuid(bytes))'")
        }
        #expect(try store.executions.takeQueued(process: Identifier.makeUUID())?.id == ids[2])
        for id in ids.prefix(2) {
            let record = try store.executions.find(id, account: store.account)
            #expect(record?.status == .failed)
            #expect(record?.termination?.reason == .lost)
        }
    }

    @Test("results past their time go with their files; what has not ended stays")
    func expiry() throws {
        let store = try StoreFixture()
        let ids = try (0..<3).map { _ in try store.admit(owner: Identifier.makeUUID()) }
        for id in ids.prefix(2) { #expect(try store.executions.finish(id, store.finished(id))) }
        let old = Identifier.parse(ids[0], .execution) ?? []
        try store.database.run(
            """
            UPDATE executions SET created_at = now() - interval '30 days';
            UPDATE executions SET completed_at = now() - CASE WHEN id = '\(uuid(old))' THEN interval '8 days' ELSE '6 days' END
                WHERE completed_at IS NOT NULL
            """)
        #expect(try store.executions.expire(days: 7) == 1)
        #expect(try store.executions.expire(days: 7) == 0)
        #expect(try store.executions.find(ids[0], account: store.account) == nil)
        #expect(try store.executions.find(ids[1], account: store.account) != nil)
        #expect(try store.executions.find(ids[2], account: store.account) != nil)
        #expect(try store.database.integer("SELECT count(*) FROM artifacts") == 3)
    }

    /// The 16 bytes as PostgreSQL reads them.
    private func uuid(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
