import Foundation
import Glibc
import SoulBoxModel
import TestProcess
import Testing

/// `GET /metrics`, with Debian's Prometheus as its reader.
@Suite("Metrics", .enabled(if: Host.canRunStack), .serialized)
struct MetricsTests {
    private var stack: TestStack { .monitored }
    private static let files = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docker")
        .standardized.path

    /// Runs a program so often at once; how many ended how, by the labels that count them.
    @discardableResult
    private func run(_ count: Int, _ code: String = "print(1)") async throws -> [String: Int] {
        let stack = stack
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<count {
                group.addTask { try await stack.execute(["language": "python", "code": .string(code)]) }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        return Dictionary(grouping: answers) { answer in
            let status = answer.json["status"]?.stringValue ?? ""
            let reason = answer.json["termination"]?["reason"]?.stringValue ?? ""
            return "status=\"\(status)\",reason=\"\(reason)\""
        }.mapValues(\.count)
    }

    @Test("is for who may monitor, in the text format, and no path of a client's becomes a label")
    func page() async throws {
        #expect(try await stack.send("GET", "/api/metrics", authenticated: false).status == 401)
        #expect(try await stack.send("GET", "/api/metrics", key: stack.makeKey("execute")).status == 403)
        let key = try stack.makeKey("monitor_read")
        let answer = try await stack.send(
            "GET", "/api/metrics", headers: ["Authorization": "Bearer \(key)"], authenticated: false)
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let before = MetricText(answer.text)
        #expect(before.values["soulbox_build_info{version=\"0.1.0\"}"] == 1)
        for component in ["database", "container_manager", "queue", "disk", "gateway"] {
            #expect(before.values["soulbox_up{component=\"\(component)\"}"] == 1, "\(component)")
        }
        #expect(before.sum("soulbox_database_connections_limit", "worker-control") == 8)
        // The pool fills itself in the first seconds.
        var ready = before
        let deadline = Date().addingTimeInterval(10)
        let python = ["template=\"basic-python\"", "language=\"python\"", "use=\"execution\""]
        while ready.sum("soulbox_ready_sandboxes", python[0], python[1], python[2]) < 1, Date() < deadline {
            try await Task.sleep(for: .milliseconds(200))
            ready = try await stack.metrics()
        }
        #expect(ready.sum("soulbox_ready_sandboxes", python[0], python[1], python[2]) >= 1)
        for number in 0..<3 { #expect(try await stack.send("GET", "/api/nothing-\(number)").status == 404) }
        let after = try await stack.metrics()
        let none = "route=\"none\""
        #expect(after.sum("soulbox_http_requests_total", none) - before.sum("soulbox_http_requests_total", none) == 3)
        #expect(after.sum("soulbox_http_requests_total", "route=\"/api/metrics\"", "status=\"4xx\"") >= 2)
        #expect(!after.values.keys.contains { $0.contains("nothing-") })
    }

    @Test("counts each of many parallel requests over several workers, once")
    func exact() async throws {
        #expect(stack.pids("worker-execution").count == 2)
        try await run(1)
        let before = try await stack.metrics()
        let ends = try await run(40)
        let stack = stack
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<60 { group.addTask { _ = try await stack.send("GET", "/api/languages") } }
            try await group.waitForAll()
        }
        let after = try await stack.metrics()
        func grown(_ name: String, _ labels: String) -> Double { after.sum(name, labels) - before.sum(name, labels) }
        #expect(grown("soulbox_executions_total", "language=\"python\"") == 40)
        for (labels, count) in ends {
            #expect(grown("soulbox_executions_total", "language=\"python\",\(labels)") == Double(count), "\(labels)")
        }
        #expect(grown("soulbox_http_requests_total", "route=\"/api/execute\",method=\"POST\",status=\"2xx\"") == 40)
        #expect(grown("soulbox_http_requests_total", "route=\"/api/languages\",method=\"GET\",status=\"2xx\"") == 60)
        #expect(grown("soulbox_http_request_duration_seconds_count", "route=\"/api/languages\"") == 60)
        #expect(grown("soulbox_execution_startup_seconds_count", "language=\"python\"") == 40)
        #expect(grown("soulbox_execution_duration_seconds_count", "language=\"python\"") == 40)
        let seconds = grown("soulbox_execution_duration_seconds_sum", "language=\"python\"")
        #expect(seconds > 0 && seconds < 60)
    }

    @Test("counts every end where it is noted: asynchronous, cancelled before it began, timeout, refused by a limit")
    func ends() async throws {
        let before = try await stack.metrics()
        let key = try stack.makeKey("execute", limits: ["standard=0", "execution=2"])
        try await TestStack.awaitMinute(leaving: 5)
        var last = 0
        for _ in 0..<3 {
            let body: JSONValue = ["language": "nodejs", "code": "console.log(1)", "async": true]
            last = try await stack.send("POST", "/api/execute", body: body.bytes, key: key).status
        }
        #expect(last == 429)
        #expect(try await stack.run("python", "while True: pass", [("timeout", 1)])["status"] == "timeout")
        try await cancel(beforeStart: true)
        try await cancel(beforeStart: false)
        var after = try await stack.metrics()
        func grown(_ name: String, _ labels: String) -> Double { after.sum(name, labels) - before.sum(name, labels) }
        let deadline = Date().addingTimeInterval(10)
        while grown("soulbox_executions_total", "language=\"nodejs\",status=\"completed\"") < 2
            || grown("soulbox_executions_total", "language=\"go\"") < 2, Date() < deadline
        {
            try await Task.sleep(for: .milliseconds(100))
            after = try await stack.metrics()
        }
        #expect(grown("soulbox_executions_total", "language=\"nodejs\",status=\"completed\"") == 2)
        #expect(grown("soulbox_executions_total", "language=\"python\",status=\"timeout\",reason=\"timeout\"") == 1)
        #expect(grown("soulbox_executions_total", "language=\"go\",status=\"cancelled\",reason=\"cancelled\"") == 2)
        #expect(grown("soulbox_rate_limit_refusals_total", "limit=\"execution\"") == 1)
        #expect(grown("soulbox_rate_limit_refusals_total", "limit=\"standard\"") == 0)
    }

    /// Cancels an asynchronous execution; one that no scheduler has taken, or one that runs.
    private func cancel(beforeStart: Bool) async throws {
        let schedulers = stack.pids("scheduler")
        if beforeStart { for pid in schedulers { _ = kill(pid, SIGSTOP) } }
        defer { for pid in schedulers { _ = kill(pid, SIGCONT) } }
        let code = "package main\nimport \"time\"\nfunc main() { time.Sleep(20 * time.Second) }"
        let accepted = try await stack.execute(["language": "go", "code": .string(code), "async": true])
        let id = try #require(accepted.json["execution_id"]?.stringValue)
        let deadline = Date().addingTimeInterval(20)
        while !beforeStart, Date() < deadline,
            try await stack.send("GET", "/api/execute/\(id)").json["status"] != "running"
        { try await Task.sleep(for: .milliseconds(50)) }
        let answer = try await stack.send("DELETE", "/api/execute/\(id)")
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test("kill -9 of every worker loses no count, and no sum goes back")
    func killed() async throws {
        try await run(10)
        func executions() async throws -> Double { try await stack.metrics().sum("soulbox_executions_total") }
        let before = try await executions()
        let pids = stack.pids("worker-")
        stack.kill("worker-")
        var seen = before
        let deadline = Date().addingTimeInterval(20)
        while Set(stack.pids("worker-")).intersection(pids).count > 0 || stack.pids("worker-").count < pids.count,
            Date() < deadline
        {
            if let now = try? await executions() {
                #expect(now >= seen)
                seen = now
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(await stack.waitUntilHealthy(seconds: 20) != nil)
        #expect(try await executions() == before)
        try await run(5)
        #expect(try await executions() == before + 5)
        let files = try FileManager.default.contentsOfDirectory(atPath: "/run/soulbox/\(stack.instance)/metrics")
        #expect(files.count { $0.hasPrefix("worker-") } == 3 && files.contains("retired"), "\(files)")
    }

    @Test("Prometheus, with the configuration and the rules that are shipped, counts what ran")
    func prometheus() async throws {
        let directory = stack.home + "/prometheus"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let port = try FreePort.find()
        let shipped = try String(contentsOfFile: MetricsTests.files + "/prometheus/prometheus.yml", encoding: .utf8)
        try shipped.replacing("localhost:8080", with: "127.0.0.1:\(stack.port)").replacing("15s", with: "1s")
            .write(toFile: directory + "/prometheus.yml", atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(
            atPath: MetricsTests.files + "/prometheus/alerts.yml", toPath: directory + "/alerts.yml")
        try stack.makeKey("monitor_read").write(
            toFile: directory + "/soulbox-key", atomically: true, encoding: .utf8)
        let prometheus = try TestProcess(
            "/usr/bin/prometheus",
            [
                "--config.file=\(directory)/prometheus.yml", "--storage.tsdb.path=\(directory)/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ], environment: ["PATH": "/usr/bin:/bin"], log: directory + "/log")
        defer {
            prometheus.signal(SIGTERM)
            prometheus.waitForExit()
        }
        try await run(8)
        func ask(_ path: String) async -> JSONValue {
            guard let url = URL(string: "http://127.0.0.1:\(port)/api/v1/\(path)"),
                let data = try? Data(contentsOf: url)
            else { return .null }
            return (try? JSONParser.parse(Array(data))) ?? .null
        }
        let expected = try stack.sql("SELECT count(*) FROM executions WHERE completed_at IS NOT NULL")
        var (up, counted, rules) = ("", "", [JSONValue]())
        let deadline = Date().addingTimeInterval(25)
        while up != "up" || counted != expected || rules.isEmpty || rules.contains(where: { $0["health"] != "ok" }),
            Date() < deadline
        {
            try await Task.sleep(for: .milliseconds(300))
            up = await ask("targets")["data"]?["activeTargets"]?.arrayValue?.first?["health"]?.stringValue ?? ""
            let result = await ask("query?query=sum(soulbox_executions_total)")["data"]?["result"]
            counted = result?.arrayValue?.first?["value"]?.arrayValue?.last?.stringValue ?? ""
            rules = await ask("rules")["data"]?["groups"]?.arrayValue?.first?["rules"]?.arrayValue ?? []
        }
        let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
        #expect(up == "up" && counted == expected, "\(counted) of \(expected): \(log.suffix(1000))")
        #expect(rules.count >= 9 && rules.allSatisfy { $0["health"] == "ok" }, "\(rules)")
    }

    @Test("promtool finds nothing to say about the page and the rules; rules and dashboard use what is on the page")
    func promtool() async throws {
        // So that there is something in every histogram, and a WebSocket has been open.
        try await run(1)
        let answer = try await stack.send("GET", "/api/metrics")
        let page = stack.home + "/page.txt"
        try answer.text.write(toFile: page, atomically: true, encoding: .utf8)
        #expect(try TestStack.shell("promtool check metrics < \(page) 2>&1; echo $?") == "0\n")
        let rules = try TestStack.shell(
            "promtool check rules \(MetricsTests.files)/prometheus/alerts.yml 2>&1; echo $?")
        #expect(rules.hasSuffix("\n0\n") && rules.contains("SUCCESS"), "\(rules)")
        let names = MetricText(answer.text).names
        for file in ["prometheus/alerts.yml", "grafana/soulbox.json"] {
            let text = try String(contentsOfFile: "\(MetricsTests.files)/\(file)", encoding: .utf8)
            let used = Set(text.matches(of: /(soulbox|process)_[a-z0-9_]+/).map { String($0.output.0) })
            #expect(used.count > 8)
            #expect(used.subtracting(names).isEmpty, "\(file): \(used.subtracting(names).sorted())")
        }
        let dashboard = try JSONParser.parse(
            Array(Data(contentsOf: URL(filePath: MetricsTests.files + "/grafana/soulbox.json"))))
        #expect((dashboard["panels"]?.arrayValue ?? []).count > 10)
    }
}
