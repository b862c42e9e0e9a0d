import Foundation
import SoulBoxModel
import Testing

/// Idempotency-Keys: faults 14, 18 and 24.
@Suite("Repeated requests", .enabled(if: Host.canRunStack), .serialized)
struct RepeatTests {
    private var stack: TestStack { .shared }

    private func fifty(
        _ path: String, _ body: JSONValue, _ stack: TestStack = .shared
    ) async throws -> [Answer] {
        let headers = ["Idempotency-Key": UUID().uuidString, "X-Request-ID": "same"]
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<50 {
                group.addTask { try await stack.send("POST", path, body: body.bytes, headers: headers) }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
    }

    @Test("24: fifty times the same request runs once and is answered alike")
    func execution() async throws {
        let code = "import time,os\ntime.sleep(0.3)\nopen('f','w').write('x')\nprint(os.urandom(8).hex())"
        for isAsync in [false, true] {
            let answers = try await fifty(
                "/api/execute", ["language": "python", "code": .string(code), "async": .bool(isAsync)])
            #expect(Set(answers.map(\.status)) == [isAsync ? 202 : 200], "\(answers.map(\.status))")
            #expect(Set(answers.map(\.text)).count == 1, "\(Set(answers.map(\.text)))")
        }
    }

    @Test("24: fifty times the same new key is one key")
    func key() async throws {
        let name = UUID().uuidString
        let answers = try await fifty("/api/auth/api-keys", ["name": .string(name), "permissions": ["execute"]])
        #expect(Set(answers.map(\.status)) == [201] && Set(answers.map(\.text)).count == 1)
        let listed = try await stack.send("GET", "/api/auth/api-keys?limit=1000")
        #expect(listed.text.split(separator: name).count == 2)
    }

    @Test("a key that stands for another request is a conflict; a bad one is named")
    func mismatch() async throws {
        let headers = ["Idempotency-Key": UUID().uuidString]
        let body: JSONValue = ["language": "python", "code": "print(1)"]
        #expect(try await stack.execute(body, headers: headers).status == 200)
        let other = try await stack.execute(["language": "python", "code": "print(2)"], headers: headers)
        #expect(other.status == 409 && other.json["error"]?["code"] == "CONFLICT", "\(other.text)")
        let elsewhere = try await stack.send(
            "POST", "/api/auth/api-keys", body: Array(#"{"name":"n","permissions":["execute"]}"#.utf8),
            headers: headers)
        #expect(elsewhere.status == 409)
        let bad = try await stack.execute(body, headers: ["Idempotency-Key": String(repeating: "x", count: 300)])
        #expect(bad.status == 400 && bad.json["error"]?["details"]?["field"] == "Idempotency-Key")
        // A request that was refused has had no effect: it may be mended and sent again.
        let mended = ["Idempotency-Key": UUID().uuidString]
        #expect(try await stack.execute(["language": "cobol", "code": ""], headers: mended).status == 400)
        #expect(try await stack.execute(body, headers: mended).status == 200)
    }

    @Test("18: a worker that dies takes its execution along, and the repeated request learns of it and runs nothing")
    func deadWorker() async throws {
        let stack = TestStack.harmed
        let account = try await stack.makeAccount()
        let headers = ["Idempotency-Key": UUID().uuidString, "X-Account-ID": account.id]
        let body: JSONValue = [
            "language": "python", "code": "import time\ntime.sleep(30)\nprint('never')", "timeout": 60,
        ]
        let first = Task { try await stack.execute(body, headers: headers) }
        let open = "FROM executions WHERE completed_at IS NULL AND status = 'running'"
        for _ in 0..<100 where try stack.sql("SELECT count(*) \(open)") != "1" {
            try await Task.sleep(for: .milliseconds(50))
        }
        stack.kill("worker-execution")
        // It is silent for as long as it takes until its executions are given up; that is not waited for here.
        _ = try stack.sql(
            "UPDATE processes SET heartbeat_at = now() - interval '1 minute' WHERE id IN (SELECT owner \(open))")
        let cut = try await first.value
        #expect(cut.status == 502 && cut.json["error"]?["code"] == "SYSTEM_ERROR", "\(cut.text)")
        #expect(await stack.waitUntilHealthy(seconds: 5) != nil)
        let begin = Date()
        let repeated = try await stack.execute(body, headers: headers)
        #expect(repeated.json["termination"]?["reason"] == "lost", "\(repeated.text)")
        #expect(Date().timeIntervalSince(begin) < 30)
        let all = try await stack.send("GET", "/api/executions", key: account.key)
        #expect(all.headers["x-pagination-total"] == "1")
    }
}
