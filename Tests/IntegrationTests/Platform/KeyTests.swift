import Foundation
import SoulBoxModel
import Testing

/// Keys, accounts and what one account sees of another: rows 92, 94 and 99 of the attack table.
@Suite("Keys and accounts", .enabled(if: Host.canRunStack))
struct KeyTests {
    private var stack: TestStack { .shared }

    private func create(_ body: JSONValue, key: String? = nil, headers: [String: String] = [:]) async throws -> Answer {
        try await stack.send("POST", "/api/auth/api-keys", body: body.bytes, headers: headers, key: key)
    }

    @Test("the reference's example makes a key, born expired")
    func example() async throws {
        let answer = try await create([
            "name": "my-application", "permissions": ["execute", "sandbox_read", "sandbox_write"],
            "expires_at": "2024-12-31T23:59:59Z",
        ])
        #expect(answer.status == 201, "\(answer.text)")
        let key = try #require(answer.json["key"]?.stringValue)
        #expect(try await stack.send("GET", "/api/languages", key: key).status == 401)
        #expect(answer.headers["location"] == "/api/auth/api-keys/\(answer.json["key_id"]?.stringValue ?? "")")
    }

    @Test("a key is made, seen, rotated with an overlap, and revoked")
    func life() async throws {
        let made = try await create(["name": "life", "permissions": ["execute"], "rate_limits": ["standard": 0]])
        let id = try #require(made.json["key_id"]?.stringValue)
        let first = try #require(made.json["key"]?.stringValue)
        #expect(try await stack.send("GET", "/api/languages", key: first).status == 200)
        let shown = try await stack.send("GET", "/api/auth/api-keys/\(id)")
        #expect(shown.json["key"] == nil && shown.json["name"] == "life")
        #expect(shown.json["last_used_at"]?.stringValue != nil)

        let overlapping = try await stack.send(
            "POST", "/api/auth/api-keys/\(id)/rotate", body: Array(#"{"overlap":2}"#.utf8))
        let second = try #require(overlapping.json["key"]?.stringValue)
        #expect(second != first)
        for key in [first, second] { #expect(try await stack.send("GET", "/api/languages", key: key).status == 200) }
        try await Task.sleep(for: .seconds(2.3))
        #expect(try await stack.send("GET", "/api/languages", key: first).status == 401)

        let atOnce = try await stack.send("POST", "/api/auth/api-keys/\(id)/rotate")
        let third = try #require(atOnce.json["key"]?.stringValue)
        #expect(try await stack.send("GET", "/api/languages", key: second).status == 401)
        #expect(try await stack.send("DELETE", "/api/auth/api-keys/\(id)").json["status"] == "revoked")
        #expect(try await stack.send("DELETE", "/api/auth/api-keys/\(id)").status == 200)
        #expect(try await stack.send("GET", "/api/languages", key: third).status == 401)
        #expect(try await stack.send("POST", "/api/auth/api-keys/\(id)/rotate").status == 409)
    }

    @Test("a key ends at its second")
    func expiry() async throws {
        let end = Timestamp(microseconds: Timestamp.now.microseconds + 1_500_000)
        let made = try await create(["name": "short", "permissions": ["execute"], "expires_at": .string(end.rfc3339)])
        let key = try #require(made.json["key"]?.stringValue)
        #expect(try await stack.send("GET", "/api/languages", key: key).status == 200)
        try await Task.sleep(for: .seconds(1.7))
        #expect(try await stack.send("GET", "/api/languages", key: key).status == 401)
    }

    @Test("a key grants only what its maker has, and lifts no limit")
    func subset() async throws {
        let small = try stack.makeKey("execute,monitor_read")
        let more = try await create(["name": "n", "permissions": ["admin"]], key: small)
        #expect(more.status == 403 && more.json["error"]?["details"]?["required"] == "admin")
        let lifted = try await create(
            ["name": "n", "permissions": ["execute"], "rate_limits": ["execution": 0]], key: small)
        #expect(lifted.status == 403)
        #expect(try await create(["name": "n", "permissions": ["execute"]], key: small).status == 201)
        let own = try await create(["name": "n", "permissions": ["admin"]])
        let id = try #require(own.json["key_id"]?.stringValue)
        #expect(try await stack.send("POST", "/api/auth/api-keys/\(id)/rotate", key: small).status == 403)
        #expect(try await stack.send("DELETE", "/api/auth/api-keys/\(id)", key: small).status == 403)
        #expect(try await stack.send("GET", "/api/accounts", key: small).status == 403)
        #expect(try await stack.send("GET", "/api/audit", key: small).status == 403)
    }

    @Test(
        "wrong bodies are refused, every field named",
        arguments: [
            (#"{}"#, ["name", "permissions"]), (#"{"name":"","permissions":[]}"#, ["name", "permissions"]),
            (#"{"name":"a\u0000b","permissions":["execute"]}"#, ["name"]),
            (#"{"name":"a\nb","permissions":["execute"]}"#, ["name"]),
            (#"{"name":"n","permissions":["root"]}"#, ["permissions[0]"]),
            (#"{"name":"n","permissions":["execute","execute"]}"#, ["permissions[1]"]),
            (#"{"name":"n","permissions":["execute"],"expires_at":"soon"}"#, ["expires_at"]),
            (
                #"{"name":"n","permissions":["execute"],"rate_limits":{"standard":-1,"x":1}}"#,
                ["rate_limits.x", "rate_limits.standard"]
            ),
            (#"{"name":"n","permissions":["execute"],"admin":true}"#, ["admin"]),
        ])
    func malformed(body: String, fields: [String]) async throws {
        let answer = try await stack.send("POST", "/api/auth/api-keys", body: Array(body.utf8))
        #expect(answer.status == 400, "\(answer.text)")
        let told = answer.json["error"]?["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue }
        #expect(Set(told ?? []) == Set(fields), "\(answer.text)")
    }

    @Test("94: another account's things are as if they did not exist, on every route")
    func strangers() async throws {
        let other = try stack.makeKey(account: "strangers")
        let stranger = try stack.makeKey("execute", account: "strangers")
        let run = try await stack.run("python", "open('f','w').write('x')")
        let id = try #require(run["execution_id"]?.stringValue)
        let key = try #require(
            try await create(["name": "mine", "permissions": ["execute"]]).json["key_id"]?.stringValue)
        let unknownRun = Identifier.make(.execution)
        let unknownKey = Identifier.make(.key)
        for (method, path) in [
            ("GET", "/api/execute/ID"), ("DELETE", "/api/execute/ID"), ("GET", "/api/execute/ID/files/f"),
            ("GET", "/api/auth/api-keys/ID"), ("DELETE", "/api/auth/api-keys/ID"),
            ("POST", "/api/auth/api-keys/ID/rotate"),
        ] {
            let isKey = path.contains("api-keys")
            for caller in [other, stranger] {
                let real = try await stack.send(
                    method, path.replacing("ID", with: isKey ? key : id), headers: ["X-Request-ID": "same"],
                    key: caller)
                let none = try await stack.send(
                    method, path.replacing("ID", with: isKey ? unknownKey : unknownRun),
                    headers: ["X-Request-ID": "same"], key: caller)
                #expect(real.status == 404 && real.body == none.body, "\(method) \(path) \(real.text)")
            }
        }
        let listed = try await stack.send("GET", "/api/executions?limit=1000", key: other)
        #expect(!listed.text.contains(id))
    }

    @Test("an administrator works for another account, and nobody else does")
    func acting() async throws {
        let made = try await stack.send(
            "POST", "/api/accounts", body: Array(#"{"name":"acted for \#(UUID().uuidString)"}"#.utf8))
        #expect(made.status == 201, "\(made.text)")
        let account = try #require(made.json["account_id"]?.stringValue)
        let headers = ["X-Account-ID": account]
        let run = try await stack.execute(["language": "python", "code": "print(1)"], headers: headers)
        let id = try #require(run.json["execution_id"]?.stringValue)
        #expect(try await stack.send("GET", "/api/execute/\(id)").status == 404)
        #expect(try await stack.send("GET", "/api/execute/\(id)", headers: headers).status == 200)
        #expect(try await stack.send("GET", "/api/account", headers: headers).json["account_id"] == .string(account))
        let small = try stack.makeKey("execute")
        #expect(try await stack.send("GET", "/api/executions", headers: headers, key: small).status == 403)
        for unknown in [Identifier.make(.account), "nonsense"] {
            let answer = try await stack.send("GET", "/api/account", headers: ["X-Account-ID": unknown])
            #expect(answer.status == 404, "\(answer.text)")
        }
    }

    @Test("97: at a quota of 10, of 100 parallel requests exactly 10 are taken")
    func quotaRace() async throws {
        let made = try await stack.send(
            "POST", "/api/accounts",
            body: Array(#"{"name":"quota \#(UUID().uuidString)","quotas":{"concurrent_executions":10}}"#.utf8))
        let account = try #require(made.json["account_id"]?.stringValue)
        let body: JSONValue = [
            "language": "python", "code": "import time\ntime.sleep(8)", "timeout": 20, "async": true,
        ]
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<100 {
                group.addTask { try await stack.execute(body, headers: ["X-Account-ID": account]) }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.count { $0.status == 202 } == 10)
        let refused = answers.filter { $0.status == 429 }
        #expect(refused.count == 90)
        #expect(refused.first?.json["error"]?["details"]?["quota"] == "concurrent_executions")
        for answer in answers where answer.status == 202 {
            let id = answer.json["execution_id"]?.stringValue ?? ""
            _ = try await stack.send("DELETE", "/api/execute/\(id)", headers: ["X-Account-ID": account])
        }
        let free = try await stack.execute(
            ["language": "python", "code": "print(1)"], headers: ["X-Account-ID": account])
        #expect(free.status == 200, "\(free.text)")
        let change = #"{"quotas":{"concurrent_executions":null,"cpu_seconds_per_day":0}}"#
        let changed = try await stack.send("PUT", "/api/accounts/\(account)", body: Array(change.utf8))
        #expect(changed.json["quotas"]?["concurrent_executions"] == .null, "\(changed.text)")
        let out = try await stack.execute(
            ["language": "python", "code": "print(1)"], headers: ["X-Account-ID": account])
        #expect(out.status == 429 && out.json["error"]?["details"]?["quota"] == "cpu_seconds_per_day", "\(out.text)")
    }

    @Test("92: no secret is in the database or in a log")
    func secrets() async throws {
        let made = try await create(
            ["name": "secret", "permissions": ["execute"]], headers: ["Idempotency-Key": UUID().uuidString])
        let key = try #require(made.json["key"]?.stringValue)
        let token = try await stack.send("POST", "/api/auth/token", key: key)
        let signature = try #require(token.json["token"]?.stringValue?.split(separator: ".").last.map(String.init))
        try await Task.sleep(for: .seconds(1.5))
        let tail = String(key.suffix(43))
        for word in [tail, signature] {
            let found = try TestStack.shell(
                "grep -rlF -- '\(word)' '\(stack.home)/data/log' '\(stack.home)/data/postgres' '\(stack.home)/run/' "
                    + "2>/dev/null; true")
            #expect(found.isEmpty, "\(found)")
        }
        let shown = try TestStack.shell(
            "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -c '[\(tail.prefix(1))]\(tail.dropFirst())'; true"
        )
        #expect(shown.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }

    @Test("the audit log tells who changed what")
    func audit() async throws {
        let address = "req-\(UUID().uuidString)"
        _ = try await create(["name": "audited", "permissions": ["execute"]], headers: ["X-Request-ID": address])
        let refused = "req-\(UUID().uuidString)"
        let small = try stack.makeKey("execute")
        _ = try await stack.send(
            "POST", "/api/accounts", body: Array(#"{"name":"x"}"#.utf8), headers: ["X-Request-ID": refused], key: small)
        let log = try await stack.send("GET", "/api/audit?limit=1000")
        let entries = log.json["entries"]?.arrayValue ?? []
        let created = entries.first { $0["request_id"] == .string(address) }
        #expect(created?["status"] == 201 && created?["path"] == "/api/auth/api-keys" && created?["method"] == "POST")
        #expect(created?["address"] == "127.0.0.1" && created?["key_id"]?.stringValue != nil)
        // A call that was refused for lack of a permission changed nothing, and was admitted by nobody.
        #expect(!entries.contains { $0["request_id"] == .string(refused) })
        #expect(!log.text.contains("sb_live_"))
    }
}
