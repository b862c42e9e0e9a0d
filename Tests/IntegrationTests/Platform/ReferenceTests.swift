import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

/// The API reference's examples as they are printed, and rows 95, 99, 102 and 103 of the attack table.
@Suite("The reference", .enabled(if: Host.canRunStack), .serialized)
struct ReferenceTests {
    private var stack: TestStack { .shared }

    @Test("POST /execute with the whole example")
    func execute() async throws {
        let body = """
            {
              "language": "python",
              "code": "print('Hello, World!')",
              "timeout": 30,
              "memory_limit": "256M",
              "cpu_limit": 1.0,
              "files": [
                {
                  "name": "input.txt",
                  "content": "Sample input data"
                }
              ],
              "environment": {
                "CUSTOM_VAR": "value"
              },
              "network_access": false
            }
            """
        let answer = try await stack.send("POST", "/api/execute", body: Array(body.utf8))
        #expect(answer.status == 200)
        let json = answer.json
        #expect(json["status"] == "completed" && json["output"] == "Hello, World!\n" && json["error"] == .null)
        #expect(json["exit_code"] == 0 && json["execution_time"]?.numberValue ?? 0 > 0)
        #expect(json["memory_used"]?.integerValue ?? 0 > 0 && json["files_created"]?.arrayValue == [])
        let id = try #require(json["execution_id"]?.stringValue)
        let shown = try await stack.send("GET", "/api/execute/\(id)").json
        for name in ["execution_id", "status", "started_at", "completed_at", "progress"] {
            #expect(shown[name] != nil, "\(name)")
        }
    }

    @Test("DELETE /execute answers as the example")
    func cancel() async throws {
        let started = try await stack.execute([
            "language": "python", "code": "import time\ntime.sleep(60)", "timeout": 60, "async": true,
        ])
        let id = try #require(started.json["execution_id"]?.stringValue)
        let answer = try await stack.send("DELETE", "/api/execute/\(id)")
        #expect(
            answer.json == [
                "execution_id": .string(id), "status": "cancelled", "message": "Execution cancelled successfully",
            ])
    }

    @Test("the error example, to the letter")
    func error() async throws {
        let body = #"{"language":"unknown","code":"x"}"#
        let answer = try await stack.send("POST", "/api/execute", body: Array(body.utf8))
        let error = answer.json["error"]
        #expect(answer.status == 400 && error?["code"] == "VALIDATION_ERROR")
        #expect(error?["message"] == "Invalid request parameters")
        #expect(error?["details"]?["field"] == "language")
        #expect(error?["details"]?["reason"] == "Unsupported language: unknown")
        #expect(error?["request_id"]?.stringValue?.hasPrefix("req_") == true)
    }

    @Test("GET /health has what the example has")
    func health() async throws {
        let json = try await stack.send("GET", "/api/health").json
        #expect(json["status"] == "healthy" && json["version"]?.stringValue != nil && json["uptime"] != nil)
        let names = json["components"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        #expect(Array(names.prefix(2)) == ["database", "container_manager"])
    }

    @Test("GET /templates and one of them, as the examples")
    func templates() async throws {
        let list = try await stack.send("GET", "/api/templates")
        #expect(list.headers["x-pagination-total"] == "5")
        let python: JSONValue = [
            "template_id": "basic-python", "name": "Basic Python", "description": "Python 3.11 with basic libraries",
            "runtime": "python", "version": "1.0", "packages": ["numpy", "pandas", "requests"],
        ]
        #expect(list.json["templates"]?.arrayValue?.contains(python) == true, "\(list.text)")
        let one = try await stack.send("GET", "/api/templates/basic-python").json
        for name in ["template_id", "name", "description", "runtime", "version", "packages"] {
            #expect(one[name] == python[name])
        }
        #expect(one["base_image"] == "python:3.11-slim" && one["environment"] == ["PYTHONPATH": "/workspace"])
        #expect(one["files"] == [["name": "requirements.txt", "content": "numpy==1.21.0\npandas==1.3.0"]])
        #expect(one["packages_installed"]?.arrayValue?.count == 3)
        #expect(try await stack.send("GET", "/api/templates?runtime=go").headers["x-pagination-total"] == "1")
        #expect(try await stack.send("GET", "/api/templates?limit=2").headers["x-pagination-next"] != nil)
        for id in ["none", "..", "%2e%2e%2fetc", "basic-python%00"] {
            let answer = try await stack.send("GET", "/api/templates/" + id)
            #expect(answer.status == 404 || answer.status == 400, "\(answer.text)")
        }
    }

    @Test("99: the reference's own key opens nothing", arguments: ["your-api-key-here", "your-api-key", ""])
    func noDefault(key: String) async throws {
        let answer = try await stack.send("GET", "/api/languages", key: key)
        #expect(answer.status == 401 || answer.status == 429)
    }

    @Test("102: lengths that lie and requests that smuggle are refused")
    func lengths() throws {
        func raw(_ text: String) throws -> String {
            try TestStack.shell(
                "printf '%b' '\(text)' | timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/\(stack.port); cat >&3; timeout 2 cat <&3'"
            )
        }
        let head =
            "POST /api/execute HTTP/1.1\\r\\nHost: x\\r\\nX-API-Key: \(stack.key)\\r\\nContent-Type: application/json\\r\\n"
        #expect(try raw(head + "Content-Length: 2\\r\\nContent-Length: 3\\r\\n\\r\\n{}").hasPrefix("HTTP/1.1 400"))
        #expect(try raw(head + "Content-Length: -1\\r\\n\\r\\n{}").hasPrefix("HTTP/1.1 400"))
        #expect(
            try raw(head + "Transfer-Encoding: chunked\\r\\nContent-Length: 2\\r\\n\\r\\n0\\r\\n\\r\\n").hasPrefix(
                "HTTP/1.1 400"))
        let chunked = #"f\r\n{"language":1,}\r\n0\r\n\r\n"#
        #expect(
            try raw(head + "Connection: close\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" + chunked).contains(" 400 "))
    }

    @Test("103: text for another parser is text here")
    func injection() async throws {
        let key = try stack.makeKey("execute", account: "x'; DROP TABLE accounts; --")
        #expect(try await stack.send("GET", "/api/account", key: key).json["name"] == "x'; DROP TABLE accounts; --")
        for name in ["'; DROP TABLE api_keys; --", "$1", "%s%n", "\u{202e}evil", "ünï \"x\" \\ /"] {
            let body: JSONValue = ["name": .string(name), "permissions": ["execute"]]
            let made = try await stack.send("POST", "/api/auth/api-keys", body: body.bytes)
            #expect(made.status == 201 && made.json["name"] == .string(name), "\(made.text)")
        }
        for path in [
            "/api/%ff", "/api/execute/exec_'%20or%201=1", "/api/auth/api-keys/%27%3b--", "/api/execute/%00",
            "/_soulbox/400",
        ] {
            let answer = try await stack.send("GET", path)
            #expect(answer.status == 404 || answer.status == 400, "\(answer.text)")
        }
    }

    @Test("95: fifty errors tell nothing of the inside")
    func leakage() async throws {
        let bodies = [
            "", "{", "null", "[]", "1", "\"x\"", "{}", #"{"language":null}"#, #"{"language":"python","code":[]}"#,
            #"{"language":"python","code":"x","files":[{"name":"/var/lib/x","content":""}]}"#,
        ]
        var answers: [Answer] = []
        for path in ["/api/execute", "/api/auth/api-keys", "/api/accounts", "/api/auth/api-keys/x/rotate"] {
            for body in bodies { answers.append(try await stack.send("POST", path, body: Array(body.utf8))) }
        }
        for path in [
            "/api/execute/x", "/api/accounts/x", "/api/audit?since=x", "/api/executions?cursor=x", "/x", "/api/%ff",
        ] {
            for method in ["GET", "DELETE"] { answers.append(try await stack.send(method, path)) }
        }
        #expect(answers.count >= 50)
        for answer in answers {
            #expect((400..<500).contains(answer.status), "\(answer.text)")
            for word in [
                "/var/", "/run/", "/home", "SQLSTATE", "errno", "pid", ".swift", "Fatal", "PostgresError", "nginx",
            ] {
                #expect(!answer.text.contains(word), "\(word): \(answer.text)")
            }
        }
    }

    @Test("a request id leads from nginx's log to the isolator's")
    func trace() async throws {
        let id = "Trace-\(UUID().uuidString)"
        let answer = try await stack.execute(
            ["language": "python", "code": "print(1)"], headers: ["X-Request-ID": id])
        #expect(answer.headers["x-request-id"] == id)
        try await Task.sleep(for: .seconds(1.5))
        for name in ["access", "isolator"] {
            let lines = try TestStack.shell("grep -hF -- '\(id)' '\(stack.home)/data/log/\(name).log'").split(
                separator: "\n")
            #expect(lines.count == 1, "\(name): \(lines)")
            let json = try JSONParser.parse(Array((lines.first ?? "").utf8))
            #expect(json["request.id"] == .string(id))
        }
    }
}
