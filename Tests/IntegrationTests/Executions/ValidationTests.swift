import Foundation
import SoulBoxModel
import Testing

/// Rows 95, 96 and 98 of the attack table, and every limit of `POST /execute`, through nginx.
@Suite("Validation and authentication", .enabled(if: Host.canRunStack))
struct ValidationTests {
    private var stack: TestStack { .shared }

    @Test(
        "no wrong value is taken, and the field is named",
        arguments: [
            ("language", #""cobol""#), ("language", "7"), ("timeout", "0"), ("timeout", "-1"), ("timeout", "301"),
            ("timeout", #""5""#), ("timeout", "1e308"), ("timeout", "9223372036854775808"), ("timeout", "1.5"),
            ("memory_limit", #""1M""#), ("memory_limit", #""5G""#), ("memory_limit", #""lots""#),
            ("memory_limit", "-1"),
            ("cpu_limit", "0"), ("cpu_limit", "0.01"), ("cpu_limit", "10000"), ("cpu_limit", "-0"),
            ("cpu_limit", #""1""#),
            ("files", #"[{"name":"../x","content":""}]"#), ("files", #"[{"name":"/etc/passwd","content":""}]"#),
            ("files", #"[{"name":"a\u0000b","content":""}]"#), ("files", #""x""#), ("environment", #"{"A=B":"x"}"#),
            ("environment", #"{"A":1}"#), ("environment", #"{"A":"x\u0000"}"#), ("args", #"["a\u0000"]"#),
            ("args", "[1]"),
            ("stdin", "5"), ("async", #""yes""#), ("nonsense", "1"), ("code", "5"), ("network_access", #""yes""#),
            ("template", #""none-such""#),
        ])
    func field(name: String, value: String) async throws {
        var members = [("language", #""python""#), ("code", #""print(1)""#)].filter { $0.0 != name }
        members.append((name, value))
        let body = "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        let answer = try await stack.send("POST", "/api/execute", body: Array(body.utf8))
        #expect(answer.status == 400, "\(body) \(answer.text)")
        #expect(answer.json["error"]?["code"] == "VALIDATION_ERROR")
        let field = answer.json["error"]?["details"]?["field"]?.stringValue ?? ""
        #expect(
            field.hasPrefix(name) || value.contains("9223372036854775808") || value.contains("1e308"), "\(answer.text)")
    }

    @Test("all wrong fields are told at once")
    func all() async throws {
        let answer = try await stack.execute(["language": "x", "code": 1, "timeout": 0, "what": 1])
        #expect(answer.json["error"]?["details"]?["fields"]?.arrayValue?.count == 4, "\(answer.text)")
    }

    @Test("what is no JSON, or not sent as JSON, is told", arguments: ["", "{", "[]", "nul", "{\"a\":1,\"a\":2}"])
    func malformed(body: String) async throws {
        let answer = try await stack.send("POST", "/api/execute", body: Array(body.utf8))
        #expect(answer.status == 400 && answer.json["error"]?["code"] == "VALIDATION_ERROR", "\(answer.text)")
    }

    @Test("nothing runs without a good key")
    func authentication() async throws {
        let body: JSONValue = ["language": "python", "code": "print(1)"]
        let id = Identifier.body(Identifier.makeUUID())
        for key in [
            "", "your-api-key", "sb_live_x_y", "sb_live_\(id)_" + String(repeating: "a", count: 43), "' OR 1=1 --",
        ] {
            let answer = try await stack.send("POST", "/api/execute", body: body.bytes, key: key)
            #expect(answer.status == 401 && answer.json["error"]?["code"] == "AUTHENTICATION_REQUIRED", "\(key)")
            #expect(answer.headers["www-authenticate"] != nil)
        }
        let none = try await stack.send("POST", "/api/execute", body: body.bytes, authenticated: false)
        #expect(none.status == 401)
        let bearer = try await stack.send(
            "POST", "/api/execute", body: body.bytes, headers: ["Authorization": "Bearer \(stack.key)"],
            authenticated: false)
        #expect(bearer.status == 200)
    }

    @Test("a key without the permission, an expired and a revoked key are refused")
    func permissions() async throws {
        func create(_ arguments: [String]) throws -> String {
            try TestStack.command(stack.home, ["api-key", "create", "--name", "x", "--quiet"] + arguments)
                .trimmingCharacters(in: .newlines)
        }
        let body: JSONValue = ["language": "python", "code": "print(1)"]
        let weak = try create(["--permissions", "monitor_read"])
        let forbidden = try await stack.send("POST", "/api/execute", body: body.bytes, key: weak)
        #expect(forbidden.status == 403 && forbidden.json["error"]?["code"] == "INSUFFICIENT_PERMISSIONS")
        let expired = try create(["--permissions", "all", "--expires-at", "2024-12-31T23:59:59Z"])
        #expect(try await stack.send("POST", "/api/execute", body: body.bytes, key: expired).status == 401)
        let good = try create(["--permissions", "execute"])
        #expect(try await stack.send("POST", "/api/execute", body: body.bytes, key: good).status == 200)
        let listed = try stack.command("api-key", "list")
        #expect(!listed.contains(good) && !listed.contains(good.suffix(43)))
        let body26 = good.dropFirst("sb_live_".count).prefix(26)
        _ = try stack.command("api-key", "revoke", "key_\(body26)")
        #expect(try await stack.send("POST", "/api/execute", body: body.bytes, key: good).status == 401)
    }

    @Test("92: no secret of a key is in the database or in a log")
    func secrets() throws {
        let secret = String(stack.key.suffix(43))
        let data = try FileManager.default.destinationOfSymbolicLink(atPath: stack.home + "/data")
        let grep = Process()
        grep.executableURL = URL(filePath: "/usr/bin/grep")
        grep.arguments = ["-r", "-l", "-a", "-F", secret, data + "/postgres", data + "/log"]
        let pipe = Pipe()
        grep.standardOutput = pipe
        try grep.run()
        let found = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        grep.waitUntilExit()
        #expect(found.isEmpty, "\(found)")
    }
}
