import Foundation
import Glibc
import SoulBoxModel
import TestDatabase
import Testing

/// Reports on executions that really ran, held against sums over their rows.
@Suite("Reports", .enabled(if: Host.canRunStack), .serialized)
struct ReportTests {
    /// The columns of a row that are sums, with the expression over raw rows that each must equal.
    private static let sums = [
        ("executions", "count(*)"), ("completed", "count(*) FILTER (WHERE status = 'completed')"),
        ("failed", "count(*) FILTER (WHERE status = 'failed')"),
        ("timeout", "count(*) FILTER (WHERE status = 'timeout')"),
        ("cancelled", "count(*) FILTER (WHERE status = 'cancelled')"),
        ("cpu_seconds", "coalesce(sum(cpu_us), 0) / 1e6"),
        ("execution_seconds", "coalesce(sum(wall_us), 0) / 1e6"), ("queue_seconds", "coalesce(sum(queue_us), 0) / 1e6"),
        ("memory_peak_bytes", "coalesce(max(memory_peak), 0)"),
        (
            "memory_mib_seconds",
            "coalesce(sum(ceil(memory_bytes / 1048576.0) * trunc(coalesce(wall_us, 0) / 1000.0)), 0) / 1e3"
        ),
        ("output_bytes", "sum(length(stdout) + length(stderr))"),
    ]

    private func sql(_ server: TestServer, _ statement: String) throws -> [String] {
        try TestStack.shell(
            "psql --no-psqlrc --quiet --tuples-only --no-align '\(server.url())' --command \"\(statement)\" 2>&1"
        ).split(separator: "\n").map(String.init)
    }

    /// Runs a little of everything that can become of an execution; gives how many there were.
    private func runAll(_ stack: TestStack, sandbox: StackSandbox, other key: String) async throws -> Int {
        var count = 0
        func run(_ body: JSONValue, _ status: JSONValue, key: String? = nil) async throws {
            let answer = try await stack.send("POST", "/api/execute", body: body.bytes, key: key)
            #expect(answer.json["status"] == status, "\(answer.text)")
            count += 1
        }
        for number in 0..<3 {
            try await run(["language": "python", "code": .string("print('x' * \(number * 10))")], "completed")
        }
        try await run(["language": "nodejs", "code": "console.log(1)"], "completed", key: key)
        try await run(["language": "go", "code": "package main\nfunc main() { undefined }"], "failed", key: key)
        try await run(["language": "python", "code": "import time\ntime.sleep(9)", "timeout": 1], "timeout")
        try await run(["language": "python", "code": "x = bytearray(200 << 20)", "memory_limit": "32M"], "failed")
        try await run(["language": "python", "code": "import sys\nsys.exit(3)"], "completed")
        for _ in 0..<2 {
            #expect(try await sandbox.run("print(2)")["status"] == "completed")
            count += 1
        }
        let waiting = try await stack.execute([
            "language": "python", "code": "import time\ntime.sleep(60)", "timeout": 90, "async": true,
        ])
        let id = try #require(waiting.json["execution_id"]?.stringValue)
        #expect(try await stack.send("DELETE", "/api/execute/\(id)").status == 200)
        for _ in 0..<100 {
            if try await stack.send("GET", "/api/execute/\(id)").json["status"] == "cancelled" { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await stack.send("GET", "/api/execute/\(id)").json["status"] == "cancelled")
        return count + 1
    }

    /// Holds JSON and CSV of a grouping against the raw rows.
    private func compare(_ stack: TestStack, _ server: TestServer, _ grouping: String, when: String) async throws {
        let subject =
            switch grouping {
            case "day": "to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
            case "language": "runtime"
            case "key", "sandbox", "account": "\(grouping)_id"
            default: "coalesce(\(grouping), '')"
            }
        let columns = ReportTests.sums.map(\.1).joined(separator: " || '|' || ")
        let raw = try sql(
            server,
            "SELECT coalesce(replace((\(subject))::text, '-', ''), '') || '|' || \(columns) FROM executions "
                + "WHERE completed_at IS NOT NULL GROUP BY \(subject)")
        let expected = try raw.map { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return [fields[0]] + (try fields.dropFirst().map { "\(try #require(Double($0)))" })
        }.sorted { $0[0] < $1[0] }
        let path = "/api/reports/usage?group_by=\(grouping)"
        let json = try await stack.send("GET", path, headers: ["Accept": "application/json"]).json
        let rows = try #require(json["rows"]?.arrayValue).filter { $0["executions"] != 0 }
        #expect(
            rows.map { line(of: $0, grouping) }.sorted { $0[0] < $1[0] } == expected, "\(when) \(grouping) \(json.text)"
        )
        let all = rows.compactMap { $0["executions"]?.integerValue }.reduce(0, +)
        #expect(json["totals"]?["executions"] == .integer(all))

        let csv = try await stack.send("GET", path, headers: ["Accept": "text/csv, application/json;q=0.9"])
        #expect(csv.headers["content-type"] == "text/csv; charset=utf-8; header=present")
        #expect(csv.headers["vary"]?.contains("Accept") == true)
        #expect(csv.headers["content-disposition"]?.hasPrefix("attachment; filename=\"usage-by-\(grouping)-2") == true)
        let text = csv.text
        #expect(text.hasSuffix("\r\n"))
        let lines = text.components(separatedBy: "\r\n").dropLast().map { $0.components(separatedBy: ",") }
        #expect(lines.first == rows.first?.objectValue?.names)
        let told = lines.dropFirst().map { fields -> [String] in
            let values = fields.suffix(ReportTests.sums.count)
            return [key(fields[0], grouping)] + values.map { "\(Double($0) ?? -1)" }
        }.filter { $0[1] != "0.0" }
        #expect(told.sorted { $0[0] < $1[0] } == expected, "\(when) \(grouping) \(text)")
    }

    /// What tells a row apart, as the database has it.
    private func key(_ text: String, _ grouping: String) -> String {
        guard
            let (_, kind) = [("key", Identifier.Kind.key), ("sandbox", .sandbox), ("account", .account)].first(where: {
                $0.0 == grouping
            })
        else { return text.replacing("-", with: "") }
        return (Identifier.parse(text, kind) ?? []).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }

    private func line(of row: JSONValue, _ grouping: String) -> [String] {
        let subject = row[grouping] ?? row["\(grouping)_id"]
        return [key(subject?.stringValue ?? "", grouping)]
            + ReportTests.sums.map { "\(row[$0.0]?.numberValue ?? -1)" }
    }

    @Test(
        "JSON and CSV are the raw rows' sums, as soon as executions have ended, and after kill -9 of whoever adds them up"
    )
    func usage() async throws {
        let server = try TestServer()
        try server.openToAll()
        let stack = try TestStack(database: server.url())
        defer { stack.stop() }
        let made = try await stack.send(
            "POST", "/api/auth/api-keys",
            body: JSONValue.object(
                JSONObject([
                    ("name", "=cmd|'/c calc'!A1"), ("permissions", ["execute", "report_read"]),
                ])
            ).bytes)
        let key = try #require(made.json["key"]?.stringValue)
        let sandbox = try await StackSandbox(on: stack)
        let groupings = ["day", "language", "key", "sandbox", "status", "reason", "account"]

        let count = try await runAll(stack, sandbox: sandbox, other: key)
        // At once, whatever of it has been added up.
        for grouping in groupings { try await compare(stack, server, grouping, when: "at once") }
        let ended = try sql(server, "SELECT count(*) FROM executions WHERE completed_at IS NOT NULL")
        #expect(ended == ["\(count)"])

        // Killed again and again, in the middle of steps too, while more executions end and many wait to be added up.
        _ = try sql(
            server,
            "INSERT INTO executions (id, account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, "
                + "cpu_millicores, process_limit, created_at, completed_at, reason, wall_us, cpu_us, memory_peak, queue_us) "
                + "SELECT gen_random_uuid(), account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, "
                + "cpu_millicores, process_limit, created_at, completed_at - n * interval '1 s', reason, wall_us, cpu_us, "
                + "memory_peak, queue_us FROM executions, generate_series(1, 5000) n WHERE status = 'completed' "
                + "AND completed_at IS NOT NULL AND sandbox_id IS NULL AND runtime = 'python'")
        var killed = 0
        for _ in 0..<4 {
            for _ in 0..<400 {
                let active = try sql(
                    server,
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT roll_up_usage%' AND state = 'active'"
                )
                if active != ["0"] {
                    killed += 1
                    break
                }
                try await Task.sleep(for: .milliseconds(2))
            }
            let before = stack.pids("scheduler")
            stack.kill("scheduler")
            try await compare(stack, server, "status", when: "killed")
            _ = try await stack.run("python", "print(1)")
            for _ in 0..<100 where stack.pids("scheduler") == before || stack.pids("scheduler").isEmpty {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(killed > 0)
        var pending = ""
        for _ in 0..<300 {
            pending = try sql(server, "SELECT count(*) FROM usage_pending").first ?? ""
            if pending == "0" { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(pending == "0")
        for grouping in groupings { try await compare(stack, server, grouping, when: "added up") }

        // A name that would be a formula is none in CSV, and as it is in JSON.
        let keys = try await stack.send("GET", "/api/reports/usage?group_by=key", headers: ["Accept": "text/csv"])
        #expect(keys.text.contains(",'=cmd|'/c calc'!A1,"), "\(keys.text)")
        let names = try await stack.send("GET", "/api/reports/usage?group_by=key").json["rows"]?.arrayValue
        #expect(names?.contains { $0["key_name"] == "=cmd|'/c calc'!A1" } == true)
        let boxes = try await stack.send("GET", "/api/reports/usage?group_by=sandbox").json["rows"]?.arrayValue
        #expect(boxes?.contains { $0["sandbox_id"] == .string(sandbox.id) && $0["sandbox_name"] == "test" } == true)

        try await others(stack, key)
        try await days(stack)
        try await executions(stack, sandbox)
    }

    /// Another account sees nothing of it; an administrator sees all accounts, or works for one.
    private func others(_ stack: TestStack, _ key: String) async throws {
        let made = try await stack.send("POST", "/api/accounts", body: Array(#"{"name":"others"}"#.utf8))
        let other = try #require(made.json["account_id"]?.stringValue)
        for path in ["/api/reports/usage", "/api/reports/usage?group_by=key"] {
            let answer = try await stack.send("GET", path, headers: ["X-Account-ID": other])
            #expect(answer.json["totals"]?["executions"] == 0, "\(answer.text)")
        }
        let slow = try await stack.send("GET", "/api/reports/executions", headers: ["X-Account-ID": other])
        #expect(slow.json["executions"]?.arrayValue?.isEmpty == true)
        let own = try await stack.send("GET", "/api/reports/usage?group_by=account", headers: ["X-Account-ID": other])
        #expect(own.json["rows"]?.arrayValue?.isEmpty == true)
        // The other key's, which may read reports and is no administrator's.
        #expect(try await stack.send("GET", "/api/reports/usage", key: key).json["totals"]?["executions"] != 0)
        #expect(try await stack.send("GET", "/api/reports/usage?group_by=account", key: key).status == 403)
        let limited = try await stack.send("GET", "/api/reports/usage?group_by=status&limit=1")
        #expect(limited.json["rows"]?.arrayValue?.count == 1 && limited.json["groups"] == 4, "\(limited.text)")
        #expect(limited.headers["x-pagination-total"] == "4" && limited.headers["x-pagination-limit"] == "1")
    }

    /// Every day of the interval has a row, also one without executions.
    private func days(_ stack: TestStack) async throws {
        let usual = try await stack.send("GET", "/api/reports/usage").json
        #expect(usual["rows"]?.arrayValue?.count == 30 && usual["groups"] == 30)
        let old = try await stack.send("GET", "/api/reports/usage?from=2024-02-28T12:00:00Z&to=2024-03-01T06:00:00Z")
        let days = old.json["rows"]?.arrayValue?.compactMap { $0["day"]?.stringValue }
        #expect(days == ["2024-02-28", "2024-02-29", "2024-03-01"], "\(old.text)")
        #expect(old.json["totals"]?["executions"] == 0 && old.json["rows"]?.arrayValue?[1]["cpu_seconds"] == 0.0)
        #expect(try await stack.send("GET", "/api/reports/usage", headers: ["Accept": "image/png"]).status == 406)
        #expect(try await stack.send("HEAD", "/api/reports/usage").status == 200)
    }

    private func executions(_ stack: TestStack, _ sandbox: StackSandbox) async throws {
        let slowest = try await stack.send("GET", "/api/reports/executions?limit=3").json["executions"]?.arrayValue
        #expect(slowest?.count == 3)
        let times = slowest?.compactMap { $0["execution_time"]?.numberValue } ?? []
        #expect(times == times.sorted(by: >) && times.first ?? 0 >= 0.9)
        #expect(slowest?.first?["status"] == "timeout" && slowest?.first?["kept"] == true)
        let id = try #require(slowest?.first?["execution_id"]?.stringValue)
        #expect(try await stack.send("GET", "/api/execute/\(id)").json["status"] == "timeout")
        let failing = try await stack.send("GET", "/api/reports/executions?order=failing").json
        let python = failing["languages"]?.arrayValue?.first { $0["language"] == "python" }
        #expect(python?["failures"] == 2 && python?["timeout"] == 1, "\(failing.text)")
        let go = failing["languages"]?.arrayValue?.first { $0["language"] == "go" }
        #expect(go?["failure_rate"]?.numberValue == 1 && failing["keys"]?.arrayValue?.count == 2, "\(failing.text)")
        #expect(failing["sandboxes"]?.arrayValue?.isEmpty == true, "\(failing.text)")
    }
}
