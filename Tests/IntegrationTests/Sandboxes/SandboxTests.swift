import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Sandboxes", .enabled(if: Host.canRunStack), .serialized)
struct SandboxTests {
    private var stack: TestStack { .shared }

    @Test("the reference's examples: create, list, look, change, delete")
    func reference() async throws {
        let body = """
            {
              "name": "my-sandbox",
              "runtime": "python",
              "template": "basic",
              "resources": {
                "memory_limit": "512M",
                "cpu_limit": 1.0,
                "disk_limit": "1G"
              },
              "network": {
                "enabled": false,
                "allowed_hosts": ["api.example.com"]
              },
              "environment": {
                "PYTHON_PATH": "/custom/path"
              }
            }
            """
        let made = try await stack.send("POST", "/api/sandboxes", body: Array(body.utf8))
        #expect(made.status == 201)
        #expect(made.json["name"] == "my-sandbox" && made.json["status"] == "creating")
        #expect(made.json["resources"]?["memory_limit"] == "512M" && made.json["resources"]?["cpu_limit"] == 1.0)
        #expect(made.json["resources"]?["disk_limit"] == "1G")
        let id = try #require(made.json["sandbox_id"]?.stringValue)
        #expect(made.headers["location"] == "/api/sandboxes/\(id)")
        // Whoever runs something at once waits for it to be made.
        let run = try await stack.send(
            "POST", "/api/sandboxes/\(id)/execute",
            body: Array(#"{"code":"import os; print(os.environ['PYTHON_PATH'])"}"#.utf8))
        #expect(run.json["output"] == "/custom/path\n", "\(run.text)")
        #expect(run.json["sandbox_id"] == .string(id))
        let list = try await stack.send("GET", "/api/sandboxes?status=running&runtime=python").json
        let listed = list["sandboxes"]?.arrayValue?.first { $0["sandbox_id"] == .string(id) }
        #expect(listed?["name"] == "my-sandbox" && listed?["runtime"] == "python")
        #expect(list["limit"] == 50 && list["offset"] == 0 && list["total"]?.integerValue ?? 0 > 0)
        let details = try await stack.send("GET", "/api/sandboxes/\(id)").json
        #expect(details["template"] == "basic-python" && details["network"]?["enabled"] == false)
        for name in ["memory_used", "disk_used"] { #expect(details["resources"]?[name]?.stringValue != nil, "\(name)") }
        #expect(details["resources"]?["cpu_used"]?.numberValue != nil)
        let change = """
            {"resources": {"memory_limit": "1G", "cpu_limit": 2.0}, "environment": {"NEW_VAR": "new_value"}}
            """
        let changed = try await stack.send("PUT", "/api/sandboxes/\(id)", body: Array(change.utf8)).json
        #expect(changed["resources"]?["memory_limit"] == "1G" && changed["resources"]?["cpu_limit"] == 2.0)
        #expect(changed["environment"] == ["PYTHON_PATH": "/custom/path", "NEW_VAR": "new_value"])
        let again = try await stack.send(
            "PUT", "/api/sandboxes/\(id)", body: Array(#"{"environment":{"PYTHON_PATH":null}}"#.utf8)
        ).json
        #expect(again["environment"] == ["NEW_VAR": "new_value"])
        let gone = try await stack.send("DELETE", "/api/sandboxes/\(id)")
        #expect(
            gone.json == [
                "sandbox_id": .string(id), "status": "deleted", "message": "Sandbox deleted successfully",
            ])
        #expect(try await stack.send("GET", "/api/sandboxes/\(id)").status == 404)
        let events = try await stack.send("GET", "/api/sandboxes/\(id)/events").json["events"]?.arrayValue ?? []
        #expect(
            events.compactMap { $0["event"]?.stringValue } == ["deleted", "updated", "updated", "running", "created"])
        let run2 = try await stack.send(
            "POST", "/api/sandboxes/\(id)/execute", body: Array(#"{"code":"print(1)"}"#.utf8))
        #expect(run2.status == 404)
    }

    @Test(
        "every language runs in a sandbox, two programs beside each other",
        arguments: [
            ("python", "print('hi')"), ("nodejs", "console.log('hi')"),
            (
                "go",
                "package main\nfunc main() { println2() }\nfunc println2() { print(\"\") ; os.Stdout.WriteString(\"hi\\n\") }"
            ),
            ("rust", "fn main() { println!(\"hi\"); }"),
            ("java", "class Main { public static void main(String[] a) { System.out.println(\"hi\"); } }"),
        ])
    func languages(runtime: String, code: String) async throws {
        let sandbox = try await StackSandbox(
            [("resources", ["memory_limit": "1G", "disk_limit": "512M"])], runtime: runtime)
        let text = runtime == "go" ? code.replacing("package main\n", with: "package main\nimport \"os\"\n") : code
        async let first = sandbox.run(text)
        async let second = sandbox.run(text)
        for result in try await [first, second] { #expect(result["output"] == "hi\n", "\(result.text)") }
        let files = try await sandbox.send("GET", "/files").json["files"]
        #expect(files?.arrayValue == [], "\(files?.text ?? "")")
        try await sandbox.remove()
    }

    @Test("stop, start and what stands between; 56: nothing runs in what is stopped")
    func stopStart() async throws {
        let sandbox = try await StackSandbox()
        #expect(try await sandbox.run("open('kept','w').write('1'); print(1)")["output"] == "1\n")
        let stopped = try await sandbox.send("POST", "/stop")
        #expect(stopped.json["status"] == "stopped" && stopped.json["files"] == .null)
        let refused = try await sandbox.send("POST", "/execute", ["code": "print(1)"])
        #expect(refused.status == 409)
        #expect(refused.json["error"]?["details"]?["status"] == "stopped")
        #expect(try await sandbox.send("GET", "/files").status == 409)
        #expect(try await sandbox.send("POST", "/start").json["status"] == "running")
        #expect(try await sandbox.run("print(open('kept').read())")["output"] == "1\n")
        try await sandbox.remove()
    }

    @Test("a sandbox in which something runs goes only by force")
    func force() async throws {
        let sandbox = try await StackSandbox()
        let started = try await sandbox.send(
            "POST", "/execute", ["code": "import time\ntime.sleep(60)", "async": true, "timeout": 60])
        #expect(started.status == 202)
        let id = try #require(started.json["execution_id"]?.stringValue)
        var status = ""
        for _ in 0..<100 where status != "running" {
            status = try await stack.send("GET", "/api/execute/\(id)").json["status"]?.stringValue ?? ""
            try await Task.sleep(for: .milliseconds(50))
        }
        let refused = try await sandbox.send("DELETE", "")
        #expect(refused.status == 409)
        #expect(refused.json["error"]?["details"]?["executions_running"] == 1)
        try await sandbox.remove()
        let ended = try await stack.send("GET", "/api/execute/\(id)").json
        #expect(ended["status"] == "cancelled", "\(ended.text)")
        let list = try await stack.send("GET", "/api/executions?sandbox_id=\(sandbox.id)").json
        #expect(list["executions"]?.arrayValue?.count == 1)
    }

    @Test("more than the sandbox has is refused, and so are wrong fields, all at once")
    func validation() async throws {
        let sandbox = try await StackSandbox()
        let greedy = try await sandbox.send(
            "POST", "/execute", ["code": "1", "memory_limit": "512M", "cpu_limit": 2, "language": "nodejs"])
        #expect(greedy.status == 400)
        let fields = greedy.json["error"]?["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue }
        #expect(fields == ["template", "memory_limit", "cpu_limit"], "\(greedy.text)")
        try await sandbox.remove()
        let wrong = try await stack.send(
            "POST", "/api/sandboxes",
            body: Array(
                #"{"name":"","runtime":"cobol","resources":{"memory_limit":"1K","cpu_limit":-1,"disk_limit":"9999T"},"network":{"enabled":"yes","allowed_hosts":["a b",1]},"environment":{"1x":"y","z":null},"ttl":0,"idle_timeout":"1","on_idle":"explode","extra":1}"#
                    .utf8))
        let found = wrong.json["error"]?["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue }
        #expect(
            Set(found ?? []) == [
                "extra", "name", "runtime", "resources.memory_limit", "resources.cpu_limit", "resources.disk_limit",
                "network.enabled", "network.allowed_hosts[0]", "network.allowed_hosts[1]", "environment.1x",
                "environment.z", "ttl", "idle_timeout", "on_idle",
            ], "\(wrong.text)")
    }

    @Test("a lifetime ends with its reason, and idleness does what was asked")
    func lifetimes() async throws {
        let short = try await StackSandbox([("ttl", 1)])
        let idle = try await StackSandbox([("idle_timeout", 1)])
        let deadline = Date().addingTimeInterval(12)
        while try await stack.send("GET", "/api/sandboxes/\(short.id)").status != 404, Date() < deadline {
            try await Task.sleep(for: .milliseconds(100))
        }
        let events = try await short.send("GET", "/events").json["events"]?.arrayValue ?? []
        #expect(events.first?["event"] == "deleted" && events.first?["reason"] == "ttl", "\(events)")
        #expect(try await idle.await("stopped"))
        #expect(try await idle.details["reason"] == "idle_timeout")
        try await idle.remove()
    }

    @Test("quotas of sandboxes and of disk hold, for parallel calls too")
    func quotas() async throws {
        let account = try await stack.send(
            "POST", "/api/accounts",
            body: Array(#"{"name":"quota-\#(UUID().uuidString)","quotas":{"sandboxes":3,"disk_bytes":134217728}}"#.utf8)
        )
        #expect(account.status == 201, "\(account.text)")
        let id = try #require(account.json["account_id"]?.stringValue)
        let body = Array(#"{"runtime":"python","resources":{"disk_limit":"32M"}}"#.utf8)
        let stack = self.stack
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await stack.send("POST", "/api/sandboxes", body: body, headers: ["X-Account-ID": id])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count { $0.status == 201 } == 3)
        #expect(answers.count { $0.status == 429 && $0.json["error"]?["details"]?["quota"] == "sandboxes" } == 7)
        let first = try #require(answers.first { $0.status == 201 }?.json["sandbox_id"]?.stringValue)
        let grown = try await stack.send(
            "PUT", "/api/sandboxes/\(first)", body: Array(#"{"resources":{"disk_limit":"96M"}}"#.utf8),
            headers: ["X-Account-ID": id])
        #expect(grown.status == 429 && grown.json["error"]?["details"]?["quota"] == "disk_bytes", "\(grown.text)")
        // Another account's sandbox is no sandbox, for every route.
        for (method, path) in [
            ("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/stop"), ("GET", "/events"),
            ("POST", "/execute"), ("GET", "/files"), ("GET", "/files/x"), ("PUT", "/files/x"), ("DELETE", "/files/x"),
            ("POST", "/pause"), ("POST", "/resume"), ("GET", "/snapshots"), ("POST", "/snapshots"),
        ] {
            let body: String? =
                switch (method, path) {
                case ("PUT", _), (_, "/execute"): #"{"code":"1"}"#
                case ("POST", "/snapshots"): #"{"name":"s"}"#
                default: nil
                }
            let answer = try await stack.send(
                method, "/api/sandboxes/\(first)\(path)", body: body.map { Array($0.utf8) })
            let isForm = method == "PUT" && path.isEmpty
            #expect(answer.status == (isForm ? 400 : 404), "\(method) \(path): \(answer.text)")
        }
        for answer in answers {
            guard let sandbox = answer.json["sandbox_id"]?.stringValue else { continue }
            let gone = try await stack.send(
                "DELETE", "/api/sandboxes/\(sandbox)?force=true", headers: ["X-Account-ID": id])
            #expect(gone.status == 200)
        }
    }

    @Test("24: the same key makes one sandbox")
    func idempotency() async throws {
        let key = UUID().uuidString
        let stack = self.stack
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await stack.send(
                        "POST", "/api/sandboxes", body: Array(#"{"runtime":"python","name":"once"}"#.utf8),
                        headers: ["Idempotency-Key": key])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let ids = Set(answers.compactMap { $0.json["sandbox_id"]?.stringValue })
        #expect(ids.count == 1 && answers.allSatisfy { $0.status == 201 })
        for id in ids { _ = try await stack.send("DELETE", "/api/sandboxes/\(id)?force=true") }
    }
}
