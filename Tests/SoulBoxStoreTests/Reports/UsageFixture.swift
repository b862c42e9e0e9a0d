import Postgres
import SoulBoxModel
import TestDatabase
import Testing

@testable import SoulBoxStore

/// Executions of every kind in a database of the test's own, the reports on them, and the same sums over the raw rows.
struct UsageFixture {
    let store: StoreFixture
    let usage: UsageStore
    let reports: ReportStore

    init() throws {
        store = try StoreFixture(permissions: [.admin])
        usage = UsageStore(store.pool)
        reports = ReportStore(store.pool)
    }

    /// The accounts with executions.
    var accounts: [[UInt8]] { [store.account, store.stranger] }

    /// Adds ended executions of both accounts, of all languages and outcomes, by several keys, in several sandboxes and in
    /// none, with values from nothing to the most that there can be; at random times of an interval, in SQL.
    func add(_ count: Int, from: String, for interval: String, seed: Double) throws {
        try store.database.run(
            """
            SELECT setseed(\(seed));
            INSERT INTO sandboxes (id, account_id, name, runtime, template, status, memory_bytes, cpu_millicores,
                process_limit, disk_bytes, created_at, updated_at, last_activity)
            SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, '\(hex(store.account))', '=box ' || n, 'python',
                'basic-python', 'stopped', 1, 1, 1, 1, now(), now(), now()
            FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
            INSERT INTO executions (
                id, account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores,
                process_limit, created_at, completed_at, stdout, stderr, reason, wall_us, cpu_us, memory_peak, queue_us,
                sandbox_id)
            SELECT gen_random_uuid(), CASE WHEN random() < 0.7 THEN '\(hex(store.account))' ELSE '\(hex(store.stranger))' END::uuid,
                CASE floor(random() * 3) WHEN 0 THEN NULL WHEN 1 THEN '\(hex(store.credential.keyID))'::uuid
                    ELSE '00000000-0000-7000-9000-000000000001'::uuid END,
                (ARRAY['completed', 'completed', 'failed', 'failed', 'timeout', 'cancelled'])[kind],
                (ARRAY['python', 'nodejs', 'rust', 'go', 'java'])[1 + floor(random() * 5)], 't', 1000,
                (16777216 + random() * 4278190080)::bigint, 1, 1, moment - interval '1 s', moment,
                convert_to(repeat('x', floor(random() * 3)::integer), 'UTF8'), convert_to('ž', 'UTF8'),
                (ARRAY['exited', 'exited', 'oom', 'lost', 'timeout', NULL])[kind],
                CASE WHEN kind = 6 THEN NULL ELSE floor(random() * 300000000) END,
                CASE WHEN kind IN (4, 6) THEN NULL ELSE floor(random() * 300000000) END,
                CASE WHEN kind = 6 THEN NULL ELSE floor(random() * 4294967296) END,
                CASE WHEN random() < 0.1 THEN NULL ELSE floor(random() * 10000000) END,
                CASE WHEN random() < 0.5 THEN ('00000000-0000-7000-8000-00000000000' || 1 + floor(random() * 6))::uuid END
            FROM (
                SELECT 1 + floor(random() * 6)::integer AS kind,
                    '\(from)'::timestamptz + random() * interval '\(interval)' AS moment
                FROM generate_series(1, \(count))) r
            """)
    }

    /// A report as lines of `subject|name|sums`, sorted; the totals last.
    func reported(_ account: [UInt8]?, _ period: ReportPeriod, _ grouping: UsageGrouping) throws -> [String] {
        let report = try reports.usage(account: account, period, by: grouping, limit: 10_000)
        #expect(report.groups == Int64(report.rows.count))
        func text(_ sums: UsageSums) -> String {
            [
                sums.executions, sums.completed, sums.failed, sums.timeout, sums.cancelled, sums.cpuMicroseconds,
                sums.wallMicroseconds, sums.queueMicroseconds, sums.memoryPeakBytes, sums.memoryMebibyteMilliseconds,
                sums.outputBytes,
            ].map(String.init).joined(separator: "|")
        }
        return report.rows.map { row in
            "\(row.text ?? row.id.map(hex) ?? "")|\(row.name ?? "")|\(text(row.sums))"
        }.sorted() + ["totals||" + text(report.totals)]
    }

    /// The same of the raw rows, by SQL that shares nothing with the reports.
    func raw(_ account: [UInt8]?, _ period: ReportPeriod, _ grouping: UsageGrouping) throws -> [String] {
        let mine = account.map { "account_id = '\(hex($0))'" } ?? "true"
        let (subject, name): (String, String) =
            switch grouping {
            case .day: ("to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')", "''")
            case .language: ("runtime", "''")
            case .status: ("status", "''")
            case .reason: ("coalesce(reason, '')", "''")
            case .key:
                (
                    "replace(coalesce(key_id::text, ''), '-', '')",
                    "(SELECT max(name) FROM api_keys k WHERE replace(k.id::text, '-', '') = g.subject AND \(mine))"
                )
            case .sandbox:
                (
                    "replace(coalesce(sandbox_id::text, ''), '-', '')",
                    "(SELECT max(name) FROM sandboxes s WHERE replace(s.id::text, '-', '') = g.subject AND \(mine))"
                )
            case .account:
                (
                    "replace(account_id::text, '-', '')",
                    "(SELECT max(name) FROM accounts a WHERE replace(a.id::text, '-', '') = g.subject)"
                )
            }
        let sums = """
            count(*) || '|' || count(*) FILTER (WHERE status = 'completed') || '|' || count(*) FILTER (WHERE status = 'failed')
            || '|' || count(*) FILTER (WHERE status = 'timeout') || '|' || count(*) FILTER (WHERE status = 'cancelled')
            || '|' || coalesce(sum(cpu_us), 0) || '|' || coalesce(sum(wall_us), 0) || '|' || coalesce(sum(queue_us), 0)
            || '|' || coalesce(max(memory_peak), 0)
            || '|' || coalesce(sum(ceil(memory_bytes / 1048576.0) * floor(coalesce(wall_us, 0) / 1000.0)), 0)
            || '|' || coalesce(sum(length(stdout) + length(stderr)), 0)
            """
        let rows = """
            FROM executions WHERE \(mine) AND completed_at >= from_microseconds(\(period.from.microseconds))
                AND completed_at < from_microseconds(\(period.to.microseconds))
            """
        return try store.pool.withConnection { connection in
            let groups = try connection.run(
                """
                SELECT subject || '|' || coalesce(\(name), '') || '|' || sums AS line
                FROM (SELECT \(subject) AS subject, \(sums) AS sums \(rows) GROUP BY 1) g
                """)
            let totals = try connection.run("SELECT 'totals||' || \(sums) AS line \(rows)")
            return try groups.rows.map { row throws in try row.text("line") }.sorted()
                + totals.rows.map { row throws in try row.text("line") }
        }
    }

    /// How many executions wait to be added up.
    var pending: Int64 { get throws { try store.database.integer("SELECT count(*) FROM usage_pending") ?? -1 } }

    /// The 16 bytes as PostgreSQL reads them.
    func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
