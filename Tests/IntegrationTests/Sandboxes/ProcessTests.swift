import Foundation
import FoundationNetworking
import Glibc
import SoulBoxModel
import Testing

@Suite("Background processes", .enabled(if: Host.canRunStack), .serialized)
struct ProcessTests {
    private var stack: TestStack { .shared }

    private func start(_ sandbox: StackSandbox, _ arguments: [String]) async throws -> Int {
        let answer = try await sandbox.send(
            "POST", "/processes", ["argv": .array(arguments.map(JSONValue.string))])
        #expect(answer.status == 201, "\(answer.text)")
        return Int(try #require(answer.json["pid"]?.integerValue))
    }

    private func text(_ logs: JSONValue, _ stream: String) -> String {
        (logs["entries"]?.arrayValue ?? []).filter { $0["stream"]?.stringValue == stream }
            .compactMap { $0["data"]?.stringValue }.joined()
    }

    private func wait(_ sandbox: StackSandbox, _ pid: Int, _ status: String) async throws -> JSONValue {
        for _ in 0..<200 {
            let process = try await sandbox.send("GET", "/processes/\(pid)").json
            if process["status"]?.stringValue == status { return process }
            try await Task.sleep(for: .milliseconds(25))
        }
        return .null
    }

    @Test("input, both streams, the exit code, and what it wrote afterwards")
    func life() async throws {
        let sandbox = try await StackSandbox([("environment", ["GREETING": "hello"])])
        let pid = try await start(
            sandbox,
            [
                "python3", "-uc",
                "import os,sys\nprint(os.environ['GREETING'], os.getcwd())\nfor l in sys.stdin: print('got', l, end='', file=sys.stderr)\nsys.exit(3)",
            ])
        let wrote = try await sandbox.send("POST", "/processes/\(pid)/stdin", ["data": "one\n"])
        #expect(wrote.json == ["written": 4, "closed": false])
        let list = try await sandbox.send("GET", "/processes").json["processes"]?.arrayValue
        #expect(list?.count == 1 && list?.first?["status"] == "running")
        // A sandbox in which it runs goes only by force.
        #expect(try await sandbox.send("DELETE", "").status == 409)
        let closed = try await sandbox.send(
            "POST", "/processes/\(pid)/stdin", ["data": "dHdvCg==", "encoding": "base64", "close": true])
        #expect(closed.json == ["written": 4, "closed": true])
        let ended = try await wait(sandbox, pid, "exited")
        #expect(ended["exit_code"] == 3 && ended["signal"] == .null, "\(ended.text)")
        let logs = try await sandbox.send("GET", "/processes/\(pid)/logs").json
        #expect(
            text(logs, "stdout") == "hello /workspace\n" && text(logs, "stderr") == "got one\ngot two\n", "\(logs.text)"
        )
        let next = try #require(logs["next_offset"]?.integerValue)
        #expect(try await sandbox.send("GET", "/processes/\(pid)/logs?offset=\(next)").json["entries"] == [])
        #expect(try await sandbox.send("POST", "/processes/\(pid)/stdin", ["data": "x"]).status == 409)
        #expect(try await sandbox.send("POST", "/processes/\(pid)/signal", ["signal": "SIGTERM"]).status == 404)
        #expect(try await sandbox.send("DELETE", "/processes/\(pid)").status == 200)
        #expect(try await sandbox.send("GET", "/processes/\(pid)").status == 404)
        #expect(try await sandbox.send("DELETE", "").status == 200)
    }

    @Test("signals, what cannot be started, and 36: a flood of output is bounded")
    func limits() async throws {
        let sandbox = try await StackSandbox()
        let sleeper = try await start(sandbox, ["sleep", "1000"])
        #expect(
            try await sandbox.send("POST", "/processes/\(sleeper)/signal", ["signal": "INT"]).json["signal"] == "SIGINT"
        )
        #expect(try await wait(sandbox, sleeper, "exited")["signal"] == "SIGINT")
        #expect(try await sandbox.send("POST", "/processes", ["argv": ["no-such-program"]]).status == 404)
        #expect(try await sandbox.send("POST", "/processes", ["argv": ["/etc/passwd"]]).status == 409)
        #expect(try await sandbox.send("POST", "/processes", ["argv": []]).status == 400)
        #expect(
            try await sandbox.send("POST", "/processes", ["argv": ["sleep", "1"], "cwd": "/nowhere"]).status == 404)
        #expect(try await sandbox.send("POST", "/processes/1/signal", ["signal": 9]).status == 404)
        #expect(try await sandbox.send("POST", "/processes/\(sleeper)/signal", ["signal": "SIGNONE"]).status == 400)
        let flood = try await start(sandbox, ["sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' 'x'; echo end"])
        _ = try await wait(sandbox, flood, "exited")
        let logs = try await sandbox.send("GET", "/processes/\(flood)/logs").json
        #expect(logs["entries"]?.arrayValue?.first?["offset"]?.integerValue ?? 0 > 29_000_000)
        // A tree of processes that try to get away goes with the process.
        let tree = try await start(sandbox, ["sh", "-c", "(setsid sleep 1000 &) ; (setsid sleep 1001 &) ; sleep 1002"])
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await sandbox.send("DELETE", "/processes/\(tree)").status == 200)
        let left = try await sandbox.run(
            """
            import os
            names = [open(f'/proc/{p}/cmdline').read().replace('\\0', ' ') for p in os.listdir('/proc') if p.isdigit()]
            print([n for n in names if 'sleep' in n])
            """)
        #expect(left["output"] == "[]\n", "\(left.text)")
        try await sandbox.remove()
    }

    @Test("output is followed as it comes, to the end")
    func follow() async throws {
        let sandbox = try await StackSandbox()
        let pid = try await start(
            sandbox, ["python3", "-uc", "import time\nfor i in range(3):\n print(i); time.sleep(0.4)"])
        var request = URLRequest(
            url: try #require(
                URL(
                    string:
                        "http://127.0.0.1:\(stack.port)/api/sandboxes/\(sandbox.id)/processes/\(pid)/logs?follow=true"))
        )
        request.setValue(stack.key, forHTTPHeaderField: "X-API-Key")
        let begin = Date()
        let (data, _) = try await URLSession.shared.data(for: request)
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        #expect(Date().timeIntervalSince(begin) > 0.7)
        let pieces = lines.compactMap { try? JSONParser.parse(Array($0.utf8)) }
        #expect(pieces.compactMap { $0["data"]?.stringValue }.joined() == "0\n1\n2\n", "\(lines)")
        #expect(pieces.last?["process"]?["exit_code"] == 0)
        try await sandbox.remove()
    }

    @Test("1: background processes outlive the isolation service, with their output")
    func outlive() async throws {
        let own = TestStack.harmed
        let sandbox = try await StackSandbox(on: own)
        let pid = try await start(
            sandbox, ["python3", "-uc", "import time\nfor i in range(1000):\n print(i); time.sleep(0.05)"])
        try await Task.sleep(for: .milliseconds(300))
        own.kill("isolator")
        #expect(await own.waitUntilHealthy(seconds: 20) != nil)
        for _ in 0..<100 {
            if try await sandbox.send("GET", "/processes").status == 200 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        let process = try await sandbox.send("GET", "/processes/\(pid)").json
        #expect(process["status"] == "running", "\(process.text)")
        try await Task.sleep(for: .milliseconds(300))
        let logs = try await sandbox.send("GET", "/processes/\(pid)/logs").json
        let numbers = text(logs, "stdout").split(separator: "\n").compactMap { Int($0) }
        #expect(numbers == Array(0..<numbers.count) && numbers.count > 8, "\(numbers)")
        #expect(try await sandbox.run("print('alive')")["output"] == "alive\n")
        try await sandbox.remove()
    }
}
