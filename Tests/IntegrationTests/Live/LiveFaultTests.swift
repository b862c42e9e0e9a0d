import Foundation
import Glibc
import SoulBoxModel
import Testing

extension LiveTests {
    /// Clients that vanish or do not read, and processes that end under load.
    @Suite("Faults of live connections", .serialized)
    struct Faults {
        private func settle(_ stack: TestStack) async throws {
            try await stack.awaitGateways()
            #expect(try await Sandboxes.inUse(of: stack.instance) == 0)
        }

        @Test(
            "a stopped client, one whose wire is cut, a revoked key, a token that is over: cut off, executions cancelled"
        )
        func vanished() async throws {
            let stack = try LiveStack.shared
            let (account, key) = try await stack.makeAccount()
            let name = try await stack.send("GET", "/api/accounts/\(account)").json["name"]?.string ?? ""
            let clients = try ["stopped", "unplugged"].map { try LiveClient("faults", $0, on: stack) }
            let token = try LiveClient("faults", "expired", on: stack)
            let revoked = try await LiveClient.run(
                "faults", "revoked", on: stack, key: key, [("second", .string(try stack.makeKey(account: name)))])
            for client in clients {
                let found = try await client.result()
                // Silence of 3 s seen by a ping each second, then 4 s in which the client might come back.
                #expect((5...12).contains(found["seconds"]?.double ?? 0), "\(found.text)")
                #expect(found["record"]?["status"] == "cancelled" && found["record"]?["output"] == "1\n")
            }
            // A second, five for clocks that differ, and the next look.
            let over = try await token.result()
            #expect(over["code"] == 1008 && (5...13).contains(over["seconds"]?.double ?? 0), "\(over.text)")
            // Nothing new is let in from that moment on; what is open is looked at every five seconds.
            #expect(revoked["refused"] == 401 && revoked["told"]?.code == "AUTHENTICATION_REQUIRED", "\(revoked.text)")
            #expect(revoked["closes"]?["execute"] == 1008 && revoked["closes"]?["monitor"] == 1008, "\(revoked.text)")
            #expect(revoked["closes"]?["events"] != nil && (revoked["seconds"]?.double ?? 99) < 9, "\(revoked.text)")
            #expect(revoked["record"]?["status"] == "cancelled")
        }

        /// Resident memory in MiB.
        private func memory(_ stack: TestStack, _ names: [String]) -> [String: Int] {
            var found: [String: Int] = [:]
            for name in names {
                for pid in stack.pids(name) {
                    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
                    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
                    found["\(name) \(pid)"] =
                        (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
                }
            }
            return found
        }

        @Test("a gigabyte to a client that does not read: nobody's memory grows, and others do not wait")
        func slow() async throws {
            let stack = try LiveStack.shared
            let names = ["gateway", "worker", "isolator", "nginx"]
            let before = memory(stack, names)
            let client = try LiveClient("faults", "slow", on: stack)
            try await client.untilReady()
            var most = before
            for _ in 0..<15 {
                try await Task.sleep(for: .milliseconds(100))
                most.merge(memory(stack, names)) { max($0, $1) }
            }
            let found = try await client.result(within: 90)
            for (name, figure) in most { #expect(figure < (before[name] ?? 0) + 40, "\(name): \(before) \(most)") }
            let seconds = (found["other"]?.items ?? []).map(\.double)
            #expect(seconds.count == 10 && seconds.allSatisfy { $0 < 2 }, "\(found.text.prefix(1000))")
            #expect(
                found["status"] == "cancelled" && found["truncated"]?["stdout"] == true, "\(found.text.prefix(500))")
        }

        /// Load by clients that come back, while something happens to the service.
        private func load(_ count: Int = 12, _ fault: (TestStack) async throws -> Void) async throws -> JSONValue {
            let stack = try LiveStack.shared
            try await stack.awaitGateways()
            let client = try LiveClient("load", "load", on: stack, [("count", JSONValue(count))])
            try await client.untilReady()
            try await fault(stack)
            return try await client.result(within: 90)
        }

        private func check(_ found: JSONValue) throws -> [JSONValue] {
            let runs = found["runs"]?.items ?? []
            #expect(!runs.isEmpty)
            for run in runs {
                #expect(run["last"] == 1 && run["type"] == "completion" && run["same"] == true, "\(run.text)")
                #expect(run["status"] == run["noted"] && run["reason"] == run["noted_reason"], "\(run.text)")
                // Never a success that was none.
                #expect(run["status"] != "completed" || run["whole"] == true, "\(run.text)")
            }
            return runs
        }

        @Test("a gateway is killed: its executions end as lost, the others go on, and each has one end")
        func killed() async throws {
            var before: [Int32] = []
            let found = try await load { stack in
                before = stack.pids("gateway-1")
                stack.kill("gateway-1")
            }
            let runs = try check(found)
            let lost = runs.filter { $0["status"] == "failed" }
            #expect(lost.allSatisfy { $0["reason"] == "lost" && ($0["connections"]?.double ?? 0) > 1 }, "\(lost)")
            #expect(runs.count { $0["status"] == "completed" } + lost.count == runs.count, "\(runs)")
            try await LiveStack.shared.awaitGateways(instead: before)
            try await settle(LiveStack.shared)
        }

        @Test("a gateway is restarted: every execution ends as it would have")
        func restarted() async throws {
            var before: [Int32] = []
            let found = try await load { stack in
                before = stack.pids("gateway")
                for pid in before {
                    _ = Glibc.kill(pid, SIGTERM)
                    // Not both at once: an operator waits until one is back.
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
            let runs = try check(found)
            #expect(runs.allSatisfy { $0["status"] == "completed" }, "\(runs)")
            #expect(found["idle"] == 1012, "\(found["idle"]?.text ?? "")")
            try await LiveStack.shared.awaitGateways(instead: before)
            try await settle(LiveStack.shared)
        }

        @Test("nginx -s reload: no connection is lost")
        func reloaded() async throws {
            let found = try await load { stack in
                for pid in stack.pids("nginx") { _ = Glibc.kill(pid, SIGHUP) }
                try await Task.sleep(for: .milliseconds(500))
                let again = try await LiveClient.run("execute", "several", on: stack)
                #expect(again["after"] == [])
            }
            let runs = try check(found)
            #expect(runs.allSatisfy { $0["status"] == "completed" && $0["connections"] == 1 }, "\(runs)")
            try await settle(LiveStack.shared)
        }

        @Test("the isolator is killed: each execution's last message says that it is lost, as GET does")
        func isolator() async throws {
            let found = try await load(6) { stack in stack.kill("isolator") }
            let runs = try check(found)
            #expect(runs.allSatisfy { $0["status"] == "failed" && $0["reason"] == "lost" }, "\(runs)")
            let stack = try LiveStack.shared
            #expect(await stack.waitUntilHealthy(seconds: 10) != nil)
            try await settle(LiveStack.shared)
        }

        @Test("a thousand idle connections, and a hundred executions at once")
        func many() async throws {
            let stack = try LiveStack.shared
            let client = try LiveClient("load", "many", on: stack)
            try await client.untilReady()
            let most = memory(stack, ["gateway", "isolator", "nginx"])
            let found = try await client.result(within: 60)
            #expect(found["alive"] == 1000 && found["whole"] == 100, "\(found.text)")
            #expect(found["ends"] == ["completed": 100] && found["connections"] == 100, "\(found.text)")
            #expect(most.values.allSatisfy { $0 < 200 }, "\(most)")
            print("1,000 idle, 100 running: \(found.text), MiB \(most)")
            try await settle(stack)
        }
    }
}
