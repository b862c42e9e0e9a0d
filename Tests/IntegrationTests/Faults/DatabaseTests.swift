import Foundation
import SoulBoxModel
import TestDatabase
import Testing

/// A database of the operator's own, and what happens when it fails: faults 13 to 16.
@Suite("Database faults", .enabled(if: Host.canRunStack), .serialized)
struct DatabaseTests {
    /// A server beside the stack, as an operator would have one, and a stack on it.
    private func withStack(_ body: (TestStack, TestServer) async throws -> Void) async throws {
        let server = try TestServer()
        try server.openToAll()
        let stack = try TestStack(database: server.url())
        do {
            try await body(stack, server)
        } catch {
            stack.stop()
            throw error
        }
        stack.stop()
        try server.stop()
    }

    private func sql(_ server: TestServer, _ statement: String) throws -> String {
        try TestStack.shell(
            "psql --no-psqlrc --quiet --tuples-only --no-align '\(server.url())' --command \"\(statement)\" 2>&1")
    }

    /// Requests of several kinds at once; each is answered in time, and with nothing but success or 503.
    private func load(_ stack: TestStack, _ count: Int, within seconds: Double) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                group.addTask {
                    let begin = Date()
                    let answer =
                        switch number % 3 {
                        case 0: try await stack.send("GET", "/api/executions")
                        case 1: try await stack.execute(["language": "python", "code": "print(1)"])
                        default: try await stack.send("GET", "/api/account")
                        }
                    #expect(Date().timeIntervalSince(begin) < seconds)
                    #expect(answer.status == 200 || answer.status == 503, "\(answer.text)")
                    if answer.status == 503 { #expect(answer.headers["retry-after"] != nil) }
                    for word in ["SQL", "FATAL", "connection", "server closed"] { #expect(!answer.text.contains(word)) }
                    return answer.status
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
    }

    @Test("13: while the database is down requests are told so within a second; it recovers by itself")
    func down() async throws {
        try await withStack { stack, server in
            let running = Task { try await stack.run("python", "import time\ntime.sleep(4)\nprint('kept')") }
            try await Task.sleep(for: .milliseconds(700))
            try server.stop()
            // A second of the service, and what twelve clients at once add here.
            for status in try await load(stack, 12, within: 1.5) { #expect(status == 503) }
            try await Task.sleep(for: .seconds(1.5))
            let health = try await stack.send("GET", "/api/health")
            #expect(health.status == 503 && health.json["status"] == "unhealthy", "\(health.text)")
            let database = health.json["components"]?.arrayValue?.first { $0["name"] == "database" }
            #expect(database?["status"] == "unhealthy")
            try server.start()
            #expect(await stack.waitUntilHealthy(seconds: 5) != nil)
            // The program went on meanwhile, and its result is not lost.
            let result = try await running.value
            #expect(result["output"] == "kept\n", "\(result.text)")
            let id = result["execution_id"]?.stringValue ?? ""
            #expect(try await stack.send("GET", "/api/execute/\(id)").json["status"] == "completed")
        }
    }

    @Test("15: sessions that an administrator ends are replaced; nobody sees how")
    func terminated() async throws {
        try await withStack { stack, server in
            let answers = Task { try await load(stack, 60, within: 30) }
            for _ in 0..<6 {
                _ = try sql(
                    server,
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'soulbox'")
                try await Task.sleep(for: .milliseconds(120))
            }
            #expect(try await answers.value.count { $0 == 200 } > 0)
            for status in try await load(stack, 12, within: 30) { #expect(status == 200) }
        }
    }

    @Test("14: whatever the moment at which a session breaks, a request that is repeated with its key has one effect")
    func broken() async throws {
        try await withStack { stack, server in
            let breaking = Task.detached {
                for _ in 0..<40 {
                    _ = try sql(
                        server,
                        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'soulbox'"
                    )
                    usleep(60_000)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        let headers = ["Idempotency-Key": "broken-\(number)"]
                        for attempt in 0..<60 {
                            let answer = try await stack.execute(
                                ["language": "python", "code": .string("print(\(number))")], headers: headers)
                            if answer.status == 200 {
                                #expect(answer.json["output"] == .string("\(number)\n"), "\(answer.text)")
                                return
                            }
                            #expect(answer.status == 503 && attempt < 59, "\(answer.text)")
                            try await Task.sleep(for: .milliseconds(100))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await breaking.value
            let all = try await stack.send("GET", "/api/executions")
            #expect(all.headers["x-pagination-total"] == "16", "\(all.text)")
        }
    }

    @Test("16: a locked table holds nobody for long, and health answers all the while")
    func locked() async throws {
        try await withStack { stack, server in
            let lock = Task.detached {
                try sql(server, "begin; lock table api_keys in access exclusive mode; select pg_sleep(4); commit")
            }
            try await Task.sleep(for: .milliseconds(500))
            let answers = Task { try await load(stack, 40, within: 15) }
            for _ in 0..<10 {
                let begin = Date()
                let health = try await stack.send("GET", "/api/health", authenticated: false)
                #expect(health.status == 200 && Date().timeIntervalSince(begin) < 1)
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(try await answers.value.contains(503), "those that find no connection are told so")
            _ = try await lock.value
            for status in try await load(stack, 12, within: 30) { #expect(status == 200) }
        }
    }

    @Test("16: a read-only database is told as away, never as an error of the client or the program")
    func readOnly() async throws {
        try await withStack { stack, server in
            _ = try sql(server, "alter system set default_transaction_read_only = on")
            _ = try sql(server, "select pg_reload_conf()")
            try await Task.sleep(for: .seconds(1.5))
            let answer = try await stack.execute(["language": "python", "code": "print(1)"])
            #expect(answer.status == 503 && answer.json["error"]?["code"] == "SYSTEM_ERROR", "\(answer.text)")
            #expect(try await stack.send("GET", "/api/health").json["status"] == "unhealthy")
            _ = try sql(
                server, "set default_transaction_read_only = off; alter system reset default_transaction_read_only")
            _ = try TestStack.shell(
                "PGOPTIONS='-c default_transaction_read_only=off' psql -q '\(server.url())' "
                    + "-c 'alter system reset default_transaction_read_only' -c 'select pg_reload_conf()'")
            #expect(await stack.waitUntilHealthy(seconds: 5) != nil)
            #expect(try await stack.run("python", "print(1)")["output"] == "1\n")
        }
    }
}
