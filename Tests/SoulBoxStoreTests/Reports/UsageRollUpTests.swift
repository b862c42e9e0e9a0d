import LinuxKernel
import Postgres
import SoulBoxModel
import TestDatabase
import Testing

@testable import SoulBoxStore

/// Each execution is counted once, whatever happens.
@Suite("Usage is added up")
struct UsageRollUpTests {
    private func counted(_ usage: UsageFixture) throws -> Int64 {
        let now = Timestamp.now.microseconds
        let from = now - now % ReportPeriod.day - 2 * ReportPeriod.day
        let period = ReportPeriod(
            from: Timestamp(microseconds: from), to: Timestamp(microseconds: from + 4 * ReportPeriod.day))
        return try usage.reports.usage(account: usage.accounts[0], period, by: .status, limit: 10).totals.executions
    }

    @Test("whichever way an execution ends, it is counted in the moment of its end, and once")
    func ends() throws {
        let usage = try UsageFixture()
        let store = usage.store
        let process = try store.processes.register(kind: "worker")
        var expected: Int64 = 0
        func check(_ what: String, ends: Bool) throws {
            if ends { expected += 1 }
            #expect(try usage.pending == expected, "\(what)")
            #expect(try counted(usage) == expected, "\(what)")
        }
        let finished = try store.admit(owner: process)
        try check("admitted", ends: false)
        #expect(try store.executions.markRunning(finished, process: process))
        try check("running", ends: false)
        #expect(try store.executions.finish(finished, store.finished(finished)))
        try check("finished", ends: true)
        #expect(try !store.executions.finish(finished, store.finished(finished)))
        try check("finished again", ends: false)
        let plain = try store.admit(owner: process)
        var bare = store.finished(plain)
        bare.artifacts = []
        #expect(try store.executions.finish(plain, bare))
        try check("finished without files", ends: true)
        let cancelled = try store.admit(owner: nil)
        #expect(try store.executions.requestCancel(cancelled, account: store.account) == .cancelledBeforeStart)
        try check("cancelled", ends: true)
        let abandoned = try store.admit(owner: process)
        try store.executions.abandon(abandoned, process: process)
        try check("refused", ends: false)
        let unreadable = try store.admit(owner: nil)
        try store.database.run("UPDATE executions SET spec = '{}' WHERE spec IS NOT NULL")
        #expect(try store.executions.takeQueued(process: process) == nil)
        #expect(try store.executions.find(unreadable, account: store.account)?.status == .failed)
        try check("unreadable", ends: true)
        let lost = try store.admit(owner: Identifier.makeUUID())
        try store.database.run(
            """
            UPDATE executions SET created_at = created_at - interval '1 hour' WHERE completed_at IS NULL;
            CREATE OR REPLACE FUNCTION public.pg_postmaster_start_time() RETURNS timestamptz
                LANGUAGE sql STABLE AS $$ SELECT now() - interval '1 hour' $$;
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
            END $$;
            """)
        let sweeper = ExecutionStore(PostgresPool(store.database.url, size: 1))
        #expect(try sweeper.sweepLost(at: sweeper.serverTime()).count == 1)
        #expect(try store.executions.find(lost, account: store.account)?.termination?.reason == .lost)
        try check("lost", ends: true)
        #expect(try usage.usage.rollUp(most: 100) == Int(expected))
        #expect(try usage.pending == 0)
        #expect(try counted(usage) == expected)
        #expect(try usage.usage.rollUp(most: 100) == 0)
    }

    @Test("what is deleted before it is added up is counted all the same")
    func retention() throws {
        let usage = try UsageFixture()
        try usage.add(2500, from: "2026-03-01", for: "3 days", seed: 0.3)
        let period = ReportPeriod(
            from: try #require(Timestamp(rfc3339: "2026-03-01T00:00:00Z")),
            to: try #require(Timestamp(rfc3339: "2026-03-04T00:00:00Z")))
        let before = try UsageGrouping.allCases.map { try usage.raw(usage.accounts[0], period, $0) }
        #expect(try usage.usage.rollUp(most: 700) == 700)
        while try usage.store.executions.expire(days: 7) > 0 {}
        #expect(try usage.store.database.integer("SELECT count(*) FROM executions") == 0)
        let slowest = try usage.reports.slowest(account: usage.accounts[0], period, limit: 50)
        for phase in ["deleted", "added up"] {
            for (grouping, rows) in zip(UsageGrouping.allCases, before) where grouping != .account {
                #expect(try usage.reported(usage.accounts[0], period, grouping) == rows, "\(phase) \(grouping)")
            }
            #expect(try usage.reports.slowest(account: usage.accounts[0], period, limit: 50) == slowest)
            while try usage.usage.rollUp(most: 700) > 0 {}
        }
        #expect(slowest.count == 50 && !slowest.contains { $0.isKept })
    }

    @Test("a step that breaks at any moment changes nothing; the next one does it")
    func broken() throws {
        let usage = try UsageFixture()
        try usage.add(30_000, from: "2026-03-01", for: "3 days", seed: 0.3)
        let period = ReportPeriod(
            from: try #require(Timestamp(rfc3339: "2026-03-01T00:00:00Z")),
            to: try #require(Timestamp(rfc3339: "2026-03-04T00:00:00Z")))
        let whole = try usage.raw(usage.accounts[0], period, .key)
        let url = usage.store.database.url
        var broken = 0
        for attempt in 0..<12 {
            let done = Monitor<Bool?>(nil)
            WorkerThread.start(name: "test-roll-up") {
                let isBroken = (try? UsageStore(PostgresPool(url, size: 1)).rollUp(most: 8000)) == nil
                done.update { $0 = isBroken }
            }
            // Ever later into the step, which takes some hundred milliseconds.
            _ = done.wait(until: MonotonicClock.now + UInt64(5 + attempt * 12) * 1_000_000) { $0 }
            try usage.store.database.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'SELECT roll_up_usage%' AND state = 'active'
                """)
            let outcome = done.wait(until: MonotonicClock.now + 20_000_000_000) { $0 }
            #expect(outcome != nil)
            if outcome == true { broken += 1 }
            #expect(try usage.reported(usage.accounts[0], period, .key) == whole, "attempt \(attempt)")
            if try usage.pending == 0 { break }
        }
        #expect(broken > 0)
        while try usage.usage.rollUp(most: 8000) > 0 {}
        #expect(try usage.pending == 0)
        #expect(try usage.reported(usage.accounts[0], period, .key) == whole)
    }

    @Test("several add up at once while executions end; at no moment is one missing or counted twice")
    func concurrent() throws {
        let usage = try UsageFixture()
        let (store, reports) = (usage.store, usage.usage)
        let each = 150
        let done = Monitor<(ended: Int64, writers: Int, rollers: Int)>((0, 0, 0))
        for _ in 0..<3 {
            WorkerThread.start(name: "test-end") {
                for _ in 0..<each {
                    guard let id = try? store.admit(owner: Identifier.makeUUID()),
                        (try? store.executions.finish(id, store.finished(id))) == true
                    else { continue }
                    done.update { $0.ended += 1 }
                }
                done.update { $0.writers += 1 }
            }
        }
        for _ in 0..<3 {
            WorkerThread.start(name: "test-roll-up") {
                while done.wait(until: MonotonicClock.now + 1_000_000, for: { $0.writers == 3 ? true : nil }) == nil {
                    _ = try? reports.rollUp(most: 20)
                }
                done.update { $0.rollers += 1 }
            }
        }
        var checks = 0
        while done.wait(until: MonotonicClock.now, for: { $0.rollers == 3 ? true : nil }) == nil {
            let before = done.read { $0.ended }
            let counted = try counted(usage)
            let after = done.read { $0.ended }
            // Each writer may have ended one that it has not yet told.
            #expect(before <= counted && counted <= after + 3)
            checks += 1
        }
        #expect(checks > 10)
        while try usage.usage.rollUp(most: 100) > 0 {}
        #expect(try counted(usage) == Int64(3 * each))
        #expect(try usage.store.database.integer("SELECT count(*) FROM executions") == Int64(3 * each))
    }

    @Test("sums are kept their months, and go with whole partitions; a wrong clock's do not stay")
    func partitions() throws {
        let usage = try UsageFixture()
        let months = "SELECT count(*) FROM pg_class WHERE relname ~ '^usage_by_day_[0-9]{6}$' AND relkind = 'r'"
        #expect(try usage.store.database.integer(months) == 3)
        for age in [1, 5, 24, 25, 26, 27, 400] {
            try usage.add(40, from: "today", for: "1 second", seed: 0.1)
            try usage.store.database.run(
                """
                UPDATE usage_pending SET completed_at = date_trunc('month', now(), 'UTC') - interval '\(age) months'
                    + interval '1 hour' WHERE completed_at > now() - interval '2 days'
                """)
        }
        while try usage.usage.rollUp(most: 1000) > 0 {}
        func kept() throws -> Int64? { try usage.store.database.integer("SELECT sum(executions) FROM usage_by_day") }
        #expect(try kept() == 280)
        // They have no partitions yet, and get them; what is older than all is deleted.
        _ = try usage.usage.keepPartitions(months: 25)
        #expect(try usage.store.database.integer("SELECT count(*) FROM usage_by_day_rest") == 0)
        for table in ["usage_by_quarter_hour", "usage_by_day_and_key", "usage_by_day_and_sandbox"] {
            let sum = try usage.store.database.integer("SELECT sum(executions) FROM \(table)")
            #expect(try kept() == sum, "\(table)")
        }
        // Of the month that was 26 months ago nothing is younger than 25 months.
        #expect(try kept() == 160)
        #expect(try usage.store.database.integer(months) == 7)
        #expect(try usage.usage.keepPartitions(months: 25) == 0)
        #expect(try usage.usage.keepPartitions(months: 3) == 15)
        #expect(try kept() == 40)
        #expect(try usage.store.database.integer(months) == 4)
        // The months to come are there before they come.
        #expect(
            try usage.store.database.integer(
                """
                SELECT count(*) FROM generate_series(0, 2) n WHERE to_regclass('usage_slowest_'
                    || to_char(now() AT TIME ZONE 'UTC' + n * interval '1 month', 'YYYYMM')) IS NOT NULL
                """) == 3)
    }

    @Test("partitions that cannot be had at once do not hold up who else wants the table")
    func locks() throws {
        let usage = try UsageFixture()
        try usage.store.database.run(
            """
            DO $$ DECLARE part text; BEGIN
                FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_by_day'::regclass LOOP
                    IF part <> 'usage_by_day_rest' THEN EXECUTE 'DROP TABLE ' || part; END IF;
                END LOOP;
            END $$
            """)
        let reader = try PostgresConnection(usage.store.database.url)
        try reader.runScript("BEGIN; SELECT * FROM usage_by_day")
        let begin = MonotonicClock.now
        #expect(throws: PostgresError.self) { try usage.usage.keepPartitions(months: 25) }
        #expect(MonotonicClock.now - begin < 8_000_000_000)
        try reader.runScript("COMMIT")
        #expect(try usage.usage.keepPartitions(months: 25) == 0)
    }
}
