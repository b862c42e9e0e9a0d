import Foundation
import SoulBoxModel
import Testing

/// Rate limits, and row 93 of the attack table.
@Suite("Rate limits", .enabled(if: Host.canRunStack), .serialized)
struct LimitTests {
    private var stack: TestStack { .shared }

    @Test("of 100 parallel requests at a limit of 20, exactly 20 pass, over two worker processes")
    func exact() async throws {
        #expect(stack.pids("worker-execution").count == 2)
        let key = try stack.makeKey("execute", limits: [])
        try await TestStack.awaitMinute(leaving: 12)
        let body: JSONValue = ["language": "python", "code": "print(1)", "async": true]
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<100 {
                group.addTask { try await stack.send("POST", "/api/execute", body: body.bytes, key: key) }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.count { $0.status == 202 } == 20)
        let refused = answers.filter { $0.status == 429 }
        #expect(refused.count == 80)
        let one = try #require(refused.first)
        #expect(one.headers["x-ratelimit-limit"] == "20" && one.headers["x-ratelimit-remaining"] == "0")
        let reset = try #require(one.headers["x-ratelimit-reset"].flatMap { Double($0) })
        let wait = try #require(one.headers["retry-after"].flatMap { Double($0) })
        let now = Date().timeIntervalSince1970
        #expect(reset > now - 1 && reset <= now + 60 && abs(reset - now - wait) < 3)
        #expect(one.json["error"]?["code"] == "RESOURCE_LIMIT_EXCEEDED")
        let remaining = Set(answers.filter { $0.status == 202 }.compactMap { $0.headers["x-ratelimit-remaining"] })
        #expect(remaining.count == 20, "each has a number of its own")
        // Classes are counted apart.
        let other = try await stack.send("GET", "/api/languages", key: key)
        #expect(other.status == 200 && other.headers["x-ratelimit-limit"] == "100")
    }

    @Test("a refused body counts once, a missing permission too; a key without limits has no headers")
    func counted() async throws {
        let key = try stack.makeKey("execute", limits: [])
        try await TestStack.awaitMinute(leaving: 8)
        let first = try await stack.send("POST", "/api/execute", body: Array("{}".utf8), key: key)
        #expect(first.status == 400 && first.headers["x-ratelimit-remaining"] == "19")
        let large = JSONValue.object(
            JSONObject([("language", "python"), ("code", .string(String(repeating: "#", count: 300_000)))]))
        let second = try await stack.send("POST", "/api/execute", body: large.bytes, key: key)
        #expect(second.status == 200 && second.headers["x-ratelimit-remaining"] == "18", "\(second.headers)")
        let third = try await stack.send("GET", "/api/accounts", key: key)
        #expect(third.status == 403 && third.headers["x-ratelimit-limit"] == "100")
        let unlimited = try await stack.send("GET", "/api/languages")
        #expect(unlimited.headers["x-ratelimit-limit"] == nil)
    }

    @Test("a token counts with its key")
    func tokens() async throws {
        let key = try stack.makeKey("execute", limits: [])
        try await TestStack.awaitMinute(leaving: 8)
        let made = try await stack.send("POST", "/api/auth/token", key: key)
        let token = try #require(made.json["token"]?.stringValue)
        let answer = try await stack.send(
            "GET", "/api/languages", headers: ["Authorization": "Bearer \(token)"], authenticated: false)
        #expect(answer.headers["x-ratelimit-remaining"] == "98", "\(answer.headers)")
    }

    @Test("93: an address that guesses is stopped, and a good key from it still works")
    func guessing() async throws {
        try await TestStack.awaitMinute(leaving: 20)
        let url = "http://127.0.0.1:\(stack.port)/api/languages"
        let guess = "sb_live_\(Identifier.body(Identifier.makeUUID()))_\(String(repeating: "A", count: 43))"
        func codes(_ count: Int, _ key: String) throws -> [String] {
            try TestStack.shell(
                "for i in $(seq \(count)); do echo url='\(url)'; echo output=/dev/null; done | curl --silent "
                    + "--interface 127.0.0.2 --header 'X-API-Key: \(key)' --write-out '%{http_code}\\n' --config -"
            ).split(separator: "\n").map(String.init)
        }
        let answers = try codes(200, guess)
        #expect(answers.count == 200)
        #expect(answers.prefix(60).allSatisfy { $0 == "401" }, "\(answers.prefix(60))")
        #expect(answers.dropFirst(60).allSatisfy { $0 == "429" }, "\(answers.dropFirst(60))")
        #expect(try codes(3, stack.key) == ["200", "200", "200"])
        let nonsense = try codes(2, "nonsense")
        #expect(nonsense == ["429", "429"])
    }

    @Test("requests without a credential are stopped by nginx, health is not")
    func anonymous() throws {
        let statuses = try TestStack.shell(
            "for i in $(seq 150); do echo url='http://127.0.0.1:\(stack.port)/api/languages'; echo output=/dev/null; "
                + "done | curl --silent --interface 127.0.0.3 --parallel --write-out '%{http_code} %header{retry-after}\\n' --config -"
        ).split(separator: "\n")
        #expect(statuses.count == 150)
        #expect(statuses.contains { $0.hasPrefix("401") } && statuses.contains { $0.hasPrefix("429 1") }, "\(statuses)")
        #expect(statuses.allSatisfy { $0.hasPrefix("401") || $0.hasPrefix("429") })
        let health = try TestStack.shell(
            "for i in $(seq 150); do echo url='http://127.0.0.1:\(stack.port)/api/health'; echo output=/dev/null; "
                + "done | curl --silent --interface 127.0.0.3 --parallel --write-out '%{http_code}\\n' --config -"
        ).split(separator: "\n")
        #expect(health.count == 150 && health.allSatisfy { $0 == "200" })
    }
}
