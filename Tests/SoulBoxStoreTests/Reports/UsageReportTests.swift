import LinuxKernel
import Postgres
import SoulBoxModel
import TestDatabase
import Testing

@testable import SoulBoxStore

/// Reports against sums over the raw rows.
@Suite("Usage reports")
struct UsageReportTests {
    private func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// Intervals of all shapes within 400 days: within a day, over midnight, whole days, days with parts of others around.
    private func periods(_ generator: inout some RandomNumberGenerator) throws -> [ReportPeriod] {
        let start = try moment("2026-01-01T00:00:00Z").microseconds
        let fixed = [
            ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), ("2026-03-01T00:15:00Z", "2026-03-01T00:30:00Z"),
            ("2026-03-01T23:45:00Z", "2026-03-02T00:15:00Z"), ("2026-03-01T10:00:00Z", "2026-03-03T10:00:00Z"),
            ("2026-01-01T00:00:00Z", "2027-01-30T00:00:00Z"), ("2026-02-28T00:00:00Z", "2026-02-28T12:00:00Z"),
            ("2026-02-28T12:00:00Z", "2026-03-01T00:00:00Z"),
        ]
        let random = (0..<12).map { _ in
            let from = start + Int64.random(in: 0..<365 * 96, using: &generator) * ReportPeriod.quarter
            let length = Int64.random(
                in: 1...[3, 96, 400, 96 * 60][Int.random(in: 0..<4, using: &generator)], using: &generator)
            return ReportPeriod(
                from: Timestamp(microseconds: from), to: Timestamp(microseconds: from + length * ReportPeriod.quarter))
        }
        return try fixed.map { ReportPeriod(from: try moment($0.0), to: try moment($0.1)) } + random
    }

    private func compare(_ usage: UsageFixture, _ when: String, _ seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        for period in try periods(&generator) {
            for grouping in UsageGrouping.allCases {
                let accounts: [[UInt8]?] = grouping == .account ? [nil, usage.accounts[0]] : usage.accounts
                for account in accounts {
                    let (reported, raw) = try (
                        usage.reported(account, period, grouping), usage.raw(account, period, grouping)
                    )
                    #expect(
                        reported == raw,
                        "\(when), seed \(seed), \(grouping) \(period.from.rfc3339) \(period.to.rfc3339)")
                }
            }
        }
    }

    @Test("are right to the row before, while and after executions are added up, whatever the interval")
    func random() throws {
        let seed = UInt64.random(in: 0..<1000)
        let usage = try UsageFixture()
        try usage.add(4000, from: "2026-01-01", for: "365 days", seed: Double(seed) / 1000)
        // Many in little time, so that sums have many addends; and times that only a wrong clock has.
        try usage.add(1500, from: "2026-03-01", for: "2 days", seed: 0.5)
        try usage.add(50, from: "1999-12-31", for: "2 days", seed: 0.6)
        try usage.add(50, from: "2090-01-01", for: "2 days", seed: 0.7)
        #expect(try usage.pending == 5600)
        try compare(usage, "pending", seed)
        for _ in 0..<3 { #expect(try usage.usage.rollUp(most: 700) == 700) }
        #expect(try usage.pending == 3500)
        try compare(usage, "partly added up", seed)
        _ = try usage.usage.keepPartitions(months: 25)
        try compare(usage, "in partitions", seed)
        while try usage.usage.rollUp(most: 997) > 0 {}
        #expect(try usage.pending == 0)
        try compare(usage, "added up", seed)
        try usage.add(300, from: "2026-03-01", for: "2 days", seed: 0.8)
        try compare(usage, "with later ones", seed)
        while try usage.usage.rollUp(most: 1000) > 0 {}
        _ = try usage.usage.keepPartitions(months: 25)
        try compare(usage, "added up again", seed)
    }

    @Test("of equal numbers of executions, the limit and the number of groups are told; totals are of all")
    func limit() throws {
        let usage = try UsageFixture()
        try usage.add(500, from: "2026-03-01", for: "1 day", seed: 0.1)
        let period = ReportPeriod(from: try moment("2026-03-01T00:00:00Z"), to: try moment("2026-03-02T00:00:00Z"))
        let all = try usage.reports.usage(account: usage.accounts[0], period, by: .sandbox, limit: 1000)
        #expect(all.rows.count == 7 && all.groups == 7)
        #expect(all.rows.map(\.sums.executions) == all.rows.map(\.sums.executions).sorted(by: >))
        let some = try usage.reports.usage(account: usage.accounts[0], period, by: .sandbox, limit: 2)
        #expect(some.rows == Array(all.rows.prefix(2)) && some.groups == 7 && some.totals == all.totals)
        let none = try usage.reports.usage(account: Identifier.makeUUID(), period, by: .day, limit: 5)
        #expect(none == UsageReport(rows: [], totals: UsageSums(), groups: 0))
    }

    @Test("the slowest and the most failing are those of the raw rows")
    func executions() throws {
        let usage = try UsageFixture()
        try usage.add(3000, from: "2026-03-01", for: "10 days", seed: 0.2)
        try usage.add(900, from: "2026-03-05", for: "3 hours", seed: 0.3)
        for phase in ["pending", "partly", "all"] {
            if phase == "partly" { for _ in 0..<4 { #expect(try usage.usage.rollUp(most: 450) == 450) } }
            if phase == "all" { while try usage.usage.rollUp(most: 450) > 0 {} }
            for (from, to) in [
                ("2026-03-01", "2026-03-11"), ("2026-03-05", "2026-03-06"), ("2026-03-02", "2026-03-09"),
            ] {
                let period = ReportPeriod(
                    from: try moment(from + "T00:00:00Z"), to: try moment(to + "T00:00:00Z"))
                let rows = """
                    FROM executions WHERE account_id = '\(usage.hex(usage.accounts[0]))'
                    AND completed_at >= '\(from)' AND completed_at < '\(to)'
                    """
                let slowest = try usage.reports.slowest(account: usage.accounts[0], period, limit: 50)
                let raw = try usage.store.pool.withConnection { connection in
                    try connection.run("SELECT id, wall_us \(rows) AND wall_us > 0 ORDER BY wall_us DESC, id LIMIT 50")
                        .rows
                        .map { row throws in
                            "\(Identifier.text(.execution, uuid: try row.bytes("id"))) \(try row.integer("wall_us"))"
                        }
                }
                #expect(slowest.map { "\($0.id) \($0.wallMicroseconds)" } == raw, "\(phase) \(from)")
                #expect(!slowest.contains { !$0.isKept })
                let failing = try usage.reports.failing(account: usage.accounts[0], period, limit: 3)
                for (dimension, column) in [
                    (FailingGroup.Dimension.language, "runtime"), (.key, "key_id"), (.sandbox, "sandbox_id"),
                ] {
                    let groups = try usage.store.pool.withConnection { connection in
                        try connection.run(
                            """
                            SELECT replace(\(column)::text, '-', '') || ' ' || count(*) || ' '
                                || count(*) FILTER (WHERE status = 'failed') || ' '
                                || count(*) FILTER (WHERE status = 'timeout') AS line
                            \(rows) AND \(column) IS NOT NULL GROUP BY \(column)
                            ORDER BY count(*) FILTER (WHERE status IN ('failed', 'timeout')) DESC, count(*), \(column) LIMIT 3
                            """
                        ).rows.map { row throws in try row.text("line") }
                    }
                    let told = failing.filter { $0.dimension == dimension }.map { group in
                        "\(group.language ?? group.id.map(usage.hex) ?? "") \(group.executions) \(group.failed) \(group.timeout)"
                    }
                    #expect(told == groups, "\(phase) \(from) \(dimension)")
                }
            }
        }
        #expect(
            try usage.store.database.integer(
                "SELECT max(n) FROM (SELECT count(*) AS n FROM usage_slowest GROUP BY account_id, day) c") == 50)
    }

    @Test("100,000 executions of a year are answered from the sums alone, of the partitions that are asked for")
    func plan() throws {
        let usage = try UsageFixture()
        for month in 1...12 {
            try usage.store.database.run("SELECT add_usage_partitions('2026-\(month < 10 ? "0" : "")\(month)-01')")
        }
        try usage.add(100_000, from: "2026-01-01", for: "365 days", seed: 0.4)
        while try usage.usage.rollUp(most: 50_000) > 0 {}
        try usage.store.database.run("ANALYZE")
        let year = ReportPeriod(from: try moment("2026-01-01T00:00:00Z"), to: try moment("2027-01-01T00:00:00Z"))
        let odd = ReportPeriod(from: try moment("2026-02-10T10:15:00Z"), to: try moment("2026-11-20T17:45:00Z"))
        for (period, grouping) in [(year, UsageGrouping.day), (year, .key), (odd, .day), (odd, .sandbox)] {
            let raw = try usage.raw(usage.accounts[0], period, grouping)
            #expect(try usage.reported(usage.accounts[0], period, grouping) == raw)
        }
        func plan(_ grouping: UsageGrouping, _ arguments: String) throws -> String {
            // Planned once for all arguments, as in a worker.
            let connection = try PostgresConnection(usage.store.database.url)
            try connection.runScript(
                """
                PREPARE report (uuid, date, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint) AS
                \(ReportStore.statement(grouping, isForAll: false))
                """)
            // A name in quotes, as SQL has it.
            return try connection.run("EXPLAIN (ANALYZE, TIMING OFF) EXECUTE report (\(arguments))").rows.map {
                row throws in
                try row.text("\"QUERY PLAN\"")
            }.joined(separator: "\n")
        }
        let account = "'\(usage.hex(usage.accounts[0]))'"
        let edges = "1, 1, 1, 1, 1, 1, 1000"
        for grouping in UsageGrouping.allCases where grouping != .account {
            let all = try plan(grouping, "\(account), '2026-01-01', '2027-01-01', \(edges)")
            #expect(!all.contains(" on executions") && all.contains("\(grouping.table)_202601"), "\(all)")
            // No quarter of an hour is read where whole days are asked for, and no month but the one that is. (Default
            // partitions are always looked at, and empty.)
            let month = try plan(grouping, "\(account), '2026-06-02', '2026-06-28', \(edges)")
            let read = month.split(separator: "\n").filter {
                $0.contains(" on usage_") && !$0.contains("actual rows=0")
            }
            #expect(!read.contains { !$0.contains("_202606") }, "\(month)")
            #expect(read.contains { $0.contains("\(grouping.table)_202606") }, "\(month)")
        }
    }

    @Test(
        "an interval is its whole days and what is around them",
        arguments: [
            (0, 4, 0..<4, 4..<4, 4..<4), (0, 96, 0..<0, 0..<96, 96..<96), (1, 96, 1..<96, 96..<96, 96..<96),
            (1, 97, 1..<97, 97..<97, 97..<97), (1, 192, 1..<96, 96..<192, 192..<192),
            (90, 200, 90..<96, 96..<192, 192..<200),
            (96, 200, 96..<96, 96..<192, 192..<200), (-97, 5, -97 ..< -96, -96..<0, 0..<5),
        ] as [(Int64, Int64, Range<Int64>, Range<Int64>, Range<Int64>)])
    func parts(from: Int64, to: Int64, head: Range<Int64>, days: Range<Int64>, tail: Range<Int64>) {
        func scaled(_ range: Range<Int64>) -> Range<Int64> {
            range.lowerBound * ReportPeriod.quarter..<range.upperBound * ReportPeriod.quarter
        }
        let period = ReportPeriod(
            from: Timestamp(microseconds: from * ReportPeriod.quarter),
            to: Timestamp(microseconds: to * ReportPeriod.quarter))
        let parts = period.parts
        for (found, wanted) in [(parts.head, head), (parts.days, days), (parts.tail, tail)] {
            #expect(found == scaled(wanted) || found.isEmpty && wanted.isEmpty)
        }
        #expect(parts.head.count + parts.days.count + parts.tail.count == Int((to - from) * ReportPeriod.quarter))
    }
}
