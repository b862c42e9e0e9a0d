import Foundation
import SoulBoxModel
import Testing

/// Measurements in the database, and `GET /metrics/performance` against the rows themselves.
@Suite("Performance", .enabled(if: Host.canRunStack), .serialized)
struct PerformanceTests {
    private var stack: TestStack { .monitored }

    /// What a list of values comes to, as the documentation says.
    private struct Figures: Equatable {
        let average, peak, p50, p95, p99: Double

        init(_ values: [Double]) {
            let sorted = values.sorted()
            func percentile(_ share: Double) -> Double {
                guard let last = sorted.last else { return .nan }
                let place = share * Double(sorted.count - 1)
                let low = Int(place)
                guard low + 1 < sorted.count else { return last }
                return sorted[low] + (sorted[low + 1] - sorted[low]) * (place - Double(low))
            }
            average = sorted.reduce(0, +) / Double(sorted.count)
            peak = sorted.last ?? .nan
            (p50, p95, p99) = (percentile(0.5), percentile(0.95), percentile(0.99))
        }
    }

    private func numbers(_ statement: String) throws -> [Double] {
        try stack.sql(statement).split(separator: "\n").map { try #require(Double($0)) }
    }

    private func performance(_ query: String = "") async throws -> JSONValue {
        let answer = try await stack.send("GET", "/api/metrics/performance\(query)")
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    private func close(_ value: JSONValue?, _ expected: Double, _ tolerance: Double) -> Bool {
        value?.numberValue.map { abs($0 - expected) <= tolerance } ?? false
    }

    /// Compares while no sample comes in between.
    private func compare(_ field: String, _ metric: String, _ query: String, _ seconds: Int) async throws {
        let statement =
            "SELECT value FROM metric_samples WHERE metric = '\(metric)' AND at >= now() - interval '\(seconds) s'"
        for _ in 0..<10 {
            let before = try numbers(statement)
            let answer = try await performance(query)[field]
            guard try numbers(statement) == before else { continue }
            let figures = Figures(before)
            for (name, value) in [
                ("average", figures.average), ("peak", figures.peak), ("p50", figures.p50), ("p95", figures.p95),
                ("p99", figures.p99),
            ] { #expect(close(answer?[name], value, 0.0501), "\(field).\(name): \(answer?.text ?? ""), not \(value)") }
            return
        }
        Issue.record("samples came in between each time")
    }

    @Test("every metric is sampled on the grid of five seconds, by one node")
    func samples() async throws {
        var missing: Set<String> = []
        let wanted: Set<String> = [
            "cpu_usage", "memory_usage", "disk_usage", "disk_free_bytes", "queue_depth", "executions_running",
            "executions_failed_percent", "sandboxes_running", "sandboxes_total", "api_errors_per_second",
            "component_database_up", "component_container_manager_up", "component_queue_up", "component_disk_up",
            "component_gateway_up",
        ]
        let deadline = Date().addingTimeInterval(15)
        repeat {
            let found = try stack.sql("SELECT metric FROM metric_samples GROUP BY metric HAVING count(*) >= 2")
            missing = wanted.subtracting(found.split(separator: "\n").map(String.init))
            if !missing.isEmpty { try await Task.sleep(for: .milliseconds(300)) }
        } while !missing.isEmpty && Date() < deadline
        #expect(missing.isEmpty, "\(missing.sorted())")
        #expect(
            try stack.sql(
                "SELECT count(*) FROM metric_samples WHERE extract(epoch FROM at)::numeric % 5 <> 0") == "0")
        #expect(try stack.sql("SELECT count(DISTINCT node) FROM metric_samples") == "1")
        #expect(try stack.sql("SELECT DISTINCT node LIKE '%/\(stack.instance)' FROM metric_samples") == "t")
        #expect(
            try stack.sql("SELECT bool_and(value = 1) FROM metric_samples WHERE metric = 'component_disk_up'") == "t")
        #expect(
            try stack.sql(
                "SELECT bool_and(value BETWEEN 0 AND 100) FROM metric_samples WHERE metric LIKE '%_usage'") == "t")
    }

    @Test("CPU and memory are what the samples come to, within the time that is asked for")
    func usage() async throws {
        try await compare("cpu_usage", "cpu_usage", "", 3600)
        try await compare("memory_usage", "memory_usage", "?duration=1m&component=memory", 60)
        // One that is two hours old, with a value that nothing else has.
        let node = try stack.sql("SELECT node FROM metric_samples LIMIT 1")
        _ = try stack.sql(
            "INSERT INTO metric_samples VALUES ('cpu_usage', '\(node)', now() - interval '2 h', 100)")
        #expect(try await performance("?duration=3h")["cpu_usage"]?["peak"]?.numberValue == 100)
        try await compare("cpu_usage", "cpu_usage", "?duration=3h&component=cpu", 3 * 3600)
        try await compare("cpu_usage", "cpu_usage", "?duration=60m", 3600)
        let current = try await performance("?component=cpu")
        #expect(current.objectValue?.names == ["cpu_usage"])
        let value = try #require(current["cpu_usage"]?["current"]?.numberValue)
        #expect((0...100).contains(value))
        // Beyond a day: minutes alone.
        _ = try stack.sql(
            """
            INSERT INTO metric_minutes VALUES
                ('memory_usage', '\(node)', date_trunc('minute', now()) - interval '3 d', 12, 600, 40, 99, 50),
                ('memory_usage', '\(node)', date_trunc('minute', now()) - interval '2 d', 4, 40, 5, 15, 10)
            """)
        let rows = try stack.sql(
            "SELECT sum(sum) / sum(count), max(max) FROM metric_minutes WHERE metric = 'memory_usage'"
        ).split(separator: "|").compactMap { Double($0) }
        let memory = try await performance("?duration=7d&component=memory")["memory_usage"]
        // A minute may have been summed up in between.
        #expect(
            close(memory?["average"], rows[0], 3) && close(memory?["peak"], rows[1], 0.06),
            "\(rows) \(memory?.text ?? "")")
        #expect(memory?["peak"]?.numberValue ?? 0 >= 99)
    }

    @Test("executions and containers are what their rows come to")
    func executions() async throws {
        for code in ["print(1)", "import time; time.sleep(0.3)", "import os; os.kill(os.getpid(), 9)"] {
            _ = try await stack.run("python", code)
        }
        _ = try await stack.run("python", "import time; time.sleep(9)", [("timeout", 1)])
        let made = try await stack.send("POST", "/api/sandboxes?wait=true", body: Array(#"{"runtime":"python"}"#.utf8))
        #expect(made.status == 201)
        let answer = try await performance()
        let since = "completed_at >= now() - interval '1 h'"
        let walls = Figures(
            try numbers("SELECT wall_us / 1e6 FROM executions WHERE \(since) AND wall_us IS NOT NULL"))
        let executions = answer["execution_metrics"]
        #expect(
            executions?["total_executions"]?.integerValue.map { "\($0)" }
                == (try stack.sql("SELECT count(*) FROM executions WHERE \(since)")))
        #expect(close(executions?["avg_execution_time"], walls.average, 2e-6))
        #expect(close(executions?["peak_execution_time"], walls.peak, 2e-6))
        #expect(close(executions?["p50"], walls.p50, 2e-6) && close(executions?["p95"], walls.p95, 2e-6))
        #expect(close(executions?["p99"], walls.p99, 2e-6))
        let ends = try stack.sql(
            """
            SELECT count(*) FILTER (WHERE status = 'completed'),
                count(*) FILTER (WHERE status IN ('failed', 'timeout')) FROM executions WHERE \(since)
            """
        ).split(separator: "|").compactMap { Double($0) }
        #expect(ends[1] >= 2)
        #expect(close(executions?["success_rate"], ends[0] / (ends[0] + ends[1]) * 100, 0.0501))
        let starts = Figures(
            try numbers(
                """
                SELECT extract(epoch FROM started_at - created_at) FROM executions
                WHERE \(since) AND started_at IS NOT NULL
                """))
        let containers = answer["container_metrics"]
        #expect(close(containers?["avg_startup_time"], starts.average, 2e-6))
        #expect(close(containers?["p95"], starts.p95, 2e-6))
        #expect(starts.average > 0.0005 && starts.average < 5)
        #expect(containers?["running_containers"]?.integerValue ?? 0 >= 1)
        let id = made.json["sandbox_id"]?.stringValue ?? ""
        _ = try await stack.send("POST", "/api/sandboxes/\(id)/stop")
        let stopped = try await performance("?component=containers")["container_metrics"]
        #expect(stopped?["total_containers"] == containers?["total_containers"])
        #expect(
            stopped?["running_containers"]?.integerValue
                == containers?["running_containers"]?.integerValue.map { $0 - 1 })
        _ = try await stack.send("DELETE", "/api/sandboxes/\(id)?force=true")
    }

    @Test(
        "a duration or a component that is none is told, with its field",
        arguments: [
            ("duration=59s", "duration"), ("duration=31d", "duration"), ("duration=1", "duration"),
            ("duration=", "duration"), ("duration=1w", "duration"), ("duration=-1h", "duration"),
            ("duration=9999999999d", "duration"), ("duration=1h&duration=2h", "duration"),
            ("component=disk", "component"),
            ("component=", "component"), ("window=1h", "window"),
        ])
    func invalid(query: String, field: String) async throws {
        let answer = try await stack.send("GET", "/api/metrics/performance?\(query)")
        #expect(answer.status == 400 && answer.json["error"]?["code"] == "VALIDATION_ERROR")
        #expect(answer.json["error"]?["details"]?["field"] == .string(field), "\(answer.text)")
    }

    @Test("is for who may monitor")
    func permission() async throws {
        #expect(try await stack.send("GET", "/api/metrics/performance", authenticated: false).status == 401)
        #expect(try await stack.send("GET", "/api/metrics/performance", key: stack.makeKey("execute")).status == 403)
    }
}
