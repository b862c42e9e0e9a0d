import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Metrics in the database")
struct MetricStoreTests {
    private let database: TestDatabase
    private let pool: PostgresPool
    private let store: MetricStore
    private let now = Timestamp.now

    init() throws {
        database = try TestDatabase.withTables()
        pool = PostgresPool(database.url, size: 2)
        store = MetricStore(pool)
    }

    private func before(_ seconds: Double) -> Timestamp {
        Timestamp(microseconds: now.microseconds - Int64(seconds * 1_000_000))
    }

    @Test("keeps what was measured, the first to write counts, and what is no number is left out")
    func record() throws {
        let at = before(1)
        try store.record(node: "a", at: at, ["cpu_usage": 12.345678901234567, "queue_depth": 3, "memory_usage": .nan])
        try store.record(node: "a", at: at, ["cpu_usage": 99, "disk_free_bytes": 1.5e13])
        try store.record(node: "a", at: at, [:])
        #expect(
            try store.samples("cpu_usage", since: before(60))
                == [MetricSample(metric: "cpu_usage", node: "a", at: at, value: 12.345678901234567)])
        #expect(try store.samples("disk_free_bytes", since: before(60)).map(\.value) == [1.5e13])
        #expect(try database.integer("SELECT count(*) FROM metric_samples") == 3)
    }

    @Test("the newest value of each node, and none that is too old")
    func latest() throws {
        try store.record(node: "a", at: before(20), ["cpu_usage": 1])
        try store.record(node: "a", at: before(10), ["cpu_usage": 2])
        try store.record(node: "b", at: before(5), ["cpu_usage": 3])
        try store.record(node: "c", at: before(120), ["cpu_usage": 4])
        #expect(try store.latest("cpu_usage", within: 60).map { "\($0.node) \($0.value)" } == ["a 2.0", "b 3.0"])
        #expect(try store.latest("cpu_usage", within: 7).map(\.node) == ["b"])
        #expect(try store.latest("memory_usage", within: 60).isEmpty)
    }

    @Test("minutes are what the samples sum up to, once and again; the present minute is not over")
    func rollUp() throws {
        // Two whole minutes and a begun one, whatever the second now is.
        let minute: Int64 = 60_000_000
        let begun = now.microseconds / minute * minute
        var expected: [String] = []
        for start in [begun - 2 * minute, begun - minute, begun] {
            var values: [Double] = []
            for step in 0..<Int64(12) {
                let at = Timestamp(microseconds: start + step * 5_000_000)
                let value = Double((start / minute + step * 7) % 13) + 0.25
                try store.record(node: "a", at: at, ["cpu_usage": value])
                values.append(value)
            }
            guard start < begun, let low = values.min(), let high = values.max(), let last = values.last else {
                continue
            }
            expected.append("12 \(values.reduce(0, +)) \(low) \(high) \(last)")
        }
        try store.record(node: "b", at: Timestamp(microseconds: begun - minute), ["cpu_usage": 50])
        #expect(try store.rollUp(node: "a") >= 2)
        _ = try store.rollUp(node: "a")
        let rows = try pool.withConnection { connection in
            try connection.run("SELECT count, sum, min, max, last FROM metric_minutes ORDER BY minute").rows.map {
                row in
                let numbers = try ["sum", "min", "max", "last"].map { "\(try row.number($0))" }
                return "\(try row.integer("count")) \(numbers.joined(separator: " "))"
            }
        }
        #expect(Array(rows.prefix(2)) == expected)
        // A minute may have ended in between.
        #expect(rows.count == 2 || Timestamp.now.microseconds / minute * minute > begun)
    }

    @Test("a summary is what the raw rows give, from samples and from minutes")
    func summary() throws {
        let values = (0..<101).map { Double(($0 * 37) % 101) }
        for (index, value) in values.enumerated() {
            try store.record(node: "a", at: before(Double(index) * 5 + 1), ["cpu_usage": value])
        }
        try store.record(node: "b", at: before(1), ["cpu_usage": 100])
        let summary = try #require(try store.summary("cpu_usage", seconds: 3600))
        let all = (values + [100]).sorted()
        #expect(summary.count == 102 && summary.peak == 100)
        #expect(abs(summary.average - all.reduce(0, +) / 102) < 1e-9)
        #expect(summary.current == (values[0] + 100) / 2)
        for (share, value) in [(0.5, summary.p50), (0.95, summary.p95), (0.99, summary.p99)] {
            // PostgreSQL's percentile_cont: linear between the two neighbours.
            let place = share * 101
            let (low, part) = (Int(place), place - place.rounded(.down))
            #expect(abs(value - (all[low] + (all[min(low + 1, 101)] - all[low]) * part)) < 1e-9)
        }
        #expect(try store.summary("memory_usage", seconds: 3600) == nil)
        #expect(try store.summary("cpu_usage", seconds: 30 * 86_400) == nil)
        _ = try store.rollUp(node: "a")
        let minutes = try #require(try store.summary("cpu_usage", seconds: 30 * 86_400))
        let (count, sum) = try pool.withConnection { connection in
            let row = try connection.run("SELECT sum(count)::bigint AS count, sum(sum) AS sum FROM metric_minutes")
                .first
            return (try row?.integer("count") ?? 0, try row?.number("sum") ?? 0)
        }
        #expect(minutes.count == count && count > 80)
        #expect(abs(minutes.average - sum / Double(count)) < 1e-9)
    }

    @Test("samples are forgotten after a day, minutes after thirty")
    func expire() throws {
        try store.record(node: "a", at: before(86_500), ["cpu_usage": 1])
        try store.record(node: "a", at: before(86_300), ["cpu_usage": 2])
        #expect(try store.rollUp(node: "a") >= 1)
        #expect(try store.expire() == 1)
        #expect(try store.samples("cpu_usage", since: before(90_000)).map(\.value) == [2])
        _ = try pool.withConnection { try $0.run("UPDATE metric_minutes SET minute = minute - interval '30 days'") }
        #expect(try store.expire() >= 1)
        #expect(try database.integer("SELECT count(*) FROM metric_minutes") == 0)
    }

    @Test("executions come to the same from their rows and from the minutes, summed up once or again")
    func executions() throws {
        let fixture = try StoreFixture()
        let store = MetricStore(fixture.pool)
        let none = try store.executions(seconds: 3600)
        #expect(none.total == 0 && none.duration == nil && none.startup == nil && none.successRate == nil)
        let reasons: [TerminationReason] = [.exited, .exited, .exited, .signal, .timeout, .cancelled]
        for (number, reason) in reasons.enumerated() {
            let id = try fixture.admit(owner: fixture.processes.register(kind: "worker"))
            var finished = fixture.finished(id, reason)
            finished.record.wallTimeMicroseconds = Int64(number + 1) * 100_000
            finished.record.startedAt = Timestamp(microseconds: Timestamp.now.microseconds + 250_000)
            #expect(try fixture.executions.finish(id, finished))
        }
        // One that waits is none that ended.
        _ = try fixture.admit(owner: nil)
        let recent = try store.executions(seconds: 3600)
        #expect(recent.total == 6 && recent.completed == 3 && recent.failed == 2 && recent.successRate == 60)
        let duration = try #require(recent.duration)
        #expect(abs(duration.average - 0.35) < 1e-9 && duration.peak == 0.6 && abs(duration.p50 - 0.35) < 1e-9)
        #expect(abs((recent.startup?.average ?? 0) - 0.25) < 0.1)
        #expect(abs((recent.queueAverage ?? 0) - 42e-6) < 1e-9)
        #expect(try store.executionsRolledUp() == nil)
        for _ in 0..<2 {
            let now = Timestamp.now.microseconds
            try store.rollUpExecutions(
                from: Timestamp(microseconds: now - 600_000_000), until: Timestamp(microseconds: now + 60_000_000))
        }
        let minutes = try store.executions(seconds: 2 * 86_400)
        #expect(minutes.total == 6 && minutes.completed == 3 && minutes.failed == 2)
        #expect(abs((minutes.duration?.average ?? 0) - 0.35) < 1e-9 && minutes.duration?.peak == 0.6)
        #expect(abs((minutes.startup?.average ?? 0) - (recent.startup?.average ?? 1)) < 1e-6)
        #expect(try store.executionsRolledUp() != nil)
        let figures = try store.figures()
        #expect(figures.ended == 6 && figures.failed == 2 && figures.queued == 1 && figures.sandboxes.isEmpty)
        #expect(abs(figures.failedPercent - 100.0 / 3) < 1e-9)
        #expect(try fixture.processes.silence(kind: "worker") ?? 99 < 10)
        #expect(try fixture.processes.silence(kind: "scheduler") == nil)
    }
}
