import Foundation
import SoulBoxModel
import Testing

/// `POST /execute`, `GET` and `DELETE /execute/{id}`, as a client meets them.
@Suite("Executions", .enabled(if: Host.canRunStack))
struct ExecutionTests {
    private var stack: TestStack { .shared }

    @Test("the example of the reference answers with every field of the reference")
    func example() async throws {
        let answer = try await stack.execute([
            "language": "python", "code": "print('Hello, World!')\nopen('output.txt','w').write('x'*1024)",
            "timeout": 30,
            "memory_limit": "256M", "cpu_limit": 1.0, "files": [["name": "input.txt", "content": "Sample input data"]],
            "environment": ["CUSTOM_VAR": "value"], "network_access": false,
        ])
        #expect(answer.status == 200, "\(answer.text)")
        let json = answer.json
        #expect(json["execution_id"]?.stringValue.flatMap { Identifier.parse($0, .execution) } != nil)
        #expect(json["status"] == "completed" && json["output"] == "Hello, World!\n" && json["error"] == .null)
        #expect(json["exit_code"] == 0 && json["stdout"] == json["output"] && json["compile"] == .null)
        #expect(json["execution_time"]?.numberValue.map { $0 > 0 && $0 < 10 } == true)
        #expect(json["memory_used"]?.integerValue.map { $0 > 1 << 20 && $0 < 256 << 20 } == true)
        #expect(json["files_created"] == [["name": "output.txt", "size": 1024]])
        #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true)
    }

    @Test("short programs that come in bursts end as they ended, whoever was asked about them late")
    func bursts() async throws {
        for _ in 0..<4 {
            try await withThrowingTaskGroup(of: JSONValue.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await stack.execute(["language": "python", "code": "print(1)"]).json
                    }
                }
                for try await result in group {
                    #expect(result["status"] == "completed" && result["output"] == "1\n", "\(result.text)")
                }
            }
        }
    }

    @Test("a result can be fetched again, by its account only")
    func fetch() async throws {
        let result = try await stack.run("python", "import sys\nprint('out'); print('err', file=sys.stderr)")
        let id = try #require(result["execution_id"]?.stringValue)
        let again = try await stack.send("GET", "/api/execute/\(id)")
        #expect(again.status == 200 && again.json["output"] == "out\n" && again.json["error"] == "err\n")
        #expect(again.json["completed_at"]?.stringValue.flatMap(Timestamp.init(rfc3339:)) != nil)
        let other = try stack.command(
            "api-key", "create", "--name", "other", "--account", "other", "--permissions", "all", "--quiet"
        ).trimmingCharacters(in: .newlines)
        for path in ["/api/execute/\(id)", "/api/execute/\(id)/files/x"] {
            let answer = try await stack.send("GET", path, key: other)
            #expect(answer.status == 404 && answer.json["error"]?["code"] == "RESOURCE_NOT_FOUND")
        }
        let stolen = try await stack.send("DELETE", "/api/execute/\(id)", key: other)
        #expect(stolen.status == 404)
    }

    @Test("an asynchronous execution is accepted, carried out once, and told")
    func asynchronous() async throws {
        let answer = try await stack.execute(["language": "python", "code": "print('later')", "async": true])
        #expect(answer.status == 202, "\(answer.text)")
        let id = try #require(answer.json["execution_id"]?.stringValue)
        #expect(answer.headers["location"] == "/api/execute/\(id)")
        let result = try await wait(for: id)
        #expect(result["status"] == "completed" && result["output"] == "later\n", "\(result.text)")
        let preferred = try await stack.execute(
            ["language": "python", "code": "print(1)"], headers: ["Prefer": "respond-async"])
        #expect(preferred.status == 202)
    }

    @Test("forty asynchronous executions all end, each with its own output")
    func manyAsynchronous() async throws {
        var ids: [(String, Int)] = []
        for number in 0..<40 {
            let answer = try await stack.execute([
                "language": "python", "code": .string("print(\(number))"), "async": true,
            ])
            ids.append((try #require(answer.json["execution_id"]?.stringValue), number))
        }
        for (id, number) in ids { #expect(try await wait(for: id)["output"] == .string("\(number)\n")) }
    }

    private func wait(for id: String, seconds: Double = 40) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            let answer = try await stack.send("GET", "/api/execute/\(id)")
            if let status = answer.json["status"]?.stringValue.flatMap(ExecutionStatus.init(rawValue:)), status.isFinal
            {
                return answer.json
            }
            try await Task.sleep(for: .milliseconds(30))
        }
        return .null
    }

    @Test("a running execution can be cancelled, a finished one not")
    func cancel() async throws {
        let started = try await stack.execute(
            ["language": "python", "code": "import time\ntime.sleep(60)", "timeout": 60, "async": true])
        let id = try #require(started.json["execution_id"]?.stringValue)
        var status = ""
        for _ in 0..<200 where status != "running" {
            status = try await stack.send("GET", "/api/execute/\(id)").json["status"]?.stringValue ?? ""
            try await Task.sleep(for: .milliseconds(25))
        }
        #expect(status == "running")
        let progress = try await stack.send("GET", "/api/execute/\(id)").json["progress"]?.numberValue
        #expect(progress.map { $0 >= 0 && $0 < 1 } == true)
        let cancelled = try await stack.send("DELETE", "/api/execute/\(id)")
        #expect(cancelled.status == 200 && cancelled.json["status"] == "cancelled", "\(cancelled.text)")
        #expect(cancelled.json["message"] == "Execution cancelled successfully")
        let again = try await stack.send("DELETE", "/api/execute/\(id)")
        #expect(again.status == 409 && again.json["error"]?["code"] == "CONFLICT")
        #expect(try await stack.send("GET", "/api/execute/\(id)").json["status"] == "cancelled")
    }

    @Test(
        "why a program died is told",
        arguments: [
            ("import time\ntime.sleep(30)", "timeout", "timeout", "EXECUTION_TIMEOUT"),
            ("b=[]\nwhile True: b.append(b'x'*1048576)", "failed", "oom", "EXECUTION_ERROR"),
            ("import os\nos.kill(os.getpid(),11)", "failed", "signal", "EXECUTION_ERROR"),
            ("f=open('x','wb')\nwhile True: f.write(b'x'*1000000)", "failed", "disk_limit", "EXECUTION_ERROR"),
            ("import os\nwhile True: os.write(1,b'x'*1000000)", "failed", "output_limit", "EXECUTION_ERROR"),
        ])
    func reasons(code: String, status: String, reason: String, errorCode: String) async throws {
        let result = try await stack.run("python", code, [("timeout", 3), ("memory_limit", "64M")])
        #expect(
            result["status"]?.stringValue == status && result["termination"]?["reason"]?.stringValue == reason,
            "\(result["termination"]?.text ?? "")")
        #expect(result["error_code"]?.stringValue == errorCode)
    }

    @Test("bytes that are no UTF-8, NUL and long lines arrive whole")
    func bytes() async throws {
        let binary = try await stack.run("python", "import os\nos.write(1,bytes(range(256)))")
        #expect(binary["output_encoding"] == "base64")
        #expect(binary["output"]?.stringValue.flatMap(Base64.decode) == [UInt8](0...255))
        let text = try await stack.run("python", "print('a\\0b\\u2028\\x1b[31m')")
        #expect(text["output"] == "a\0b\u{2028}\u{1b}[31m\n")
        let long = try await stack.run("python", "print('y'*5_000_000)")
        #expect(long["truncated"]?["stdout"] == true && long["output"]?.stringValue?.utf8.count == 1 << 20)
        let code = try await stack.run("python", "s = 'nul:\0'\nprint(1)")
        #expect(code["exit_code"] != 0 || code["output"] == "1\n", "code with NUL is data for the interpreter")
    }

    @Test("a client that goes away ends its execution")
    func clientGone() async throws {
        // Arguments of an interpreter that waited for its work do not show outside; those of what it becomes do.
        let code = "import os\nos.execvp('sleep', ['sleep', '47.25'])"
        let body: JSONValue = ["language": "python", "code": .string(code), "timeout": 60]
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/curl")
        client.arguments = [
            "--silent", "--header", "X-API-Key: \(stack.key)", "--header", "Content-Type: application/json", "--data",
            body.text, "http://127.0.0.1:\(stack.port)/api/execute",
        ]
        client.standardOutput = FileHandle.nullDevice
        try client.run()
        #expect(try await programs(with: "47.25", becomes: 1))
        // A process that Foundation starts has the signal mask of its maker, whose threads may block SIGTERM.
        kill(client.processIdentifier, SIGKILL)
        #expect(try await programs(with: "47.25", becomes: 0))
    }

    /// Whether, within five seconds, that many programs with that argument run on this machine.
    private func programs(with argument: String, becomes wanted: Int) async throws -> Bool {
        for _ in 0..<100 {
            let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                guard Int(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                    return false
                }
                return line.split(separator: 0).last.map { String(decoding: $0, as: UTF8.self) } == argument
            }
            if found.count == wanted { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test("bombs of every kind at once leave the service answering and nothing behind")
    func bombs() async throws {
        let codes = [
            "import os\nwhile True: os.fork()", "b=[]\nwhile True: b.append(b'x'*1048576)",
            "f=open('x','wb')\nwhile True: f.write(b'x'*1000000)", "import os\nwhile True: os.write(1,b'x'*65536)",
            "import time\ntime.sleep(60)",
        ]
        try await withThrowingTaskGroup(of: JSONValue.self) { group in
            for code in codes {
                group.addTask { try await stack.run("python", code, [("timeout", 4), ("memory_limit", "64M")]) }
            }
            for _ in 0..<10 {
                let begin = Date()
                let health = try await stack.send("GET", "/api/health")
                #expect(health.status == 200 && Date().timeIntervalSince(begin) < 1)
                try await Task.sleep(for: .milliseconds(200))
            }
            var reasons: Set<String> = []
            for try await result in group { reasons.insert(result["termination"]?["reason"]?.stringValue ?? "none") }
            #expect(reasons.isSuperset(of: ["oom", "disk_limit", "output_limit", "timeout"]), "\(reasons)")
        }
        // Other suites use the same stack; what these programs left would be processes of theirs.
        try await Task.sleep(for: .seconds(1))
        #expect(try await stack.run("python", "print('alive')")["output"] == "alive\n")
    }
}
