import Foundation
import Glibc
import SoulBoxModel
import Testing

/// `GET /health` while components stand still.
@Suite("Health", .enabled(if: Host.canRunStack), .serialized)
struct HealthTests {
    private func signal(_ stack: TestStack, _ name: String, _ number: CInt) {
        for pid in stack.pids(name) { _ = kill(pid, number) }
    }

    @Test("every component is told, with what there is to say of it")
    func components() async throws {
        let stack = TestStack.monitored
        #expect(await stack.waitUntilHealthy(seconds: 10) != nil)
        let answer = try await stack.send("GET", "/api/health")
        let components = answer.json["components"]?.arrayValue ?? []
        #expect(
            components.map { $0["name"]?.stringValue }
                == ["database", "container_manager", "queue", "disk", "gateway"])
        #expect(components.allSatisfy { $0["status"] == "healthy" && $0["latency_ms"]?.numberValue ?? 1e9 < 2000 })
        #expect(components.allSatisfy { $0["message"] == nil })
        for component in components {
            let checked = try #require(component["last_check"]?.stringValue.flatMap(Timestamp.init(rfc3339:)))
            #expect(Timestamp.now.microseconds - checked.microseconds < 4_000_000)
        }
        let snapshots = components[1]["details"]?["memory_snapshots"]
        // The same that the isolation service tells an operator.
        let doctor = try TestStack.command(stack.home, ["doctor"])
        let line = doctor.split(separator: "\n").first { $0.contains("memory snapshots") } ?? ""
        #expect(snapshots?["available"]?.boolValue == !line.contains("cannot be held"), "\(line)")
        #expect((snapshots?["reason"] == nil) == (snapshots?["available"] == true))
        #expect(components[3]["details"]?["free_bytes"]?.integerValue ?? 0 > 512 << 20)
        #expect(try await stack.send("GET", "/api/health", authenticated: false).json["components"] == nil)
    }

    @Test("a stopped isolator, gateway or scheduler is seen in time, the answer is prompt, and so is their return")
    func stopped() async throws {
        let stack = TestStack.harmed
        #expect(await stack.waitUntilHealthy(seconds: 10) != nil)
        // Three seconds, and what other work on the machine may take.
        for (process, component, seconds) in [
            ("isolator", "container_manager", 3.0), ("gateway", "gateway", 3.0), ("scheduler", "queue", 10.0),
        ] {
            signal(stack, process, SIGSTOP)
            let seen = try await stack.wait(component, is: "unhealthy", seconds: seconds + 2)
            let begin = Date()
            let answer = try await stack.send("GET", "/api/health")
            #expect(Date().timeIntervalSince(begin) < 0.5)
            signal(stack, process, SIGCONT)
            #expect(seen ?? .infinity <= seconds, "\(process)")
            #expect(answer.status == 200 && answer.json["status"] == "degraded", "\(answer.text)")
            let found = answer.json["components"]?.arrayValue?.first { $0["name"]?.stringValue == component }
            #expect(found?["message"]?.stringValue?.isEmpty == false)
            #expect(try await stack.wait(component, is: "healthy", seconds: 5) != nil, "\(process)")
        }
        #expect(await stack.waitUntilHealthy(seconds: 10) != nil)
    }

    @Test("an address that the operator trusts gets figures without a key, and without the database")
    func trusted() async throws {
        let stack = TestStack.harmed
        #expect(try await stack.send("GET", "/api/metrics", authenticated: false).status == 200)
        // For this page alone.
        #expect(try await stack.send("GET", "/api/metrics/performance", authenticated: false).status == 401)
        let scheduler = stack.pids("scheduler")
        halt(stack, SIGSTOP)
        var value: Double?
        let deadline = Date().addingTimeInterval(6)
        while value != 0, Date() < deadline {
            let begin = Date()
            let answer = try await stack.send("GET", "/api/metrics", authenticated: false)
            // Also in the moment before the watch has seen it.
            #expect(answer.status == 200 && Date().timeIntervalSince(begin) < 2.5)
            value = MetricText(answer.text).values["soulbox_up{component=\"database\"}"]
            try await Task.sleep(for: .milliseconds(100))
        }
        halt(stack, SIGCONT)
        #expect(value == 0)
        // What was not measured is missing; from now on it is measured again, by the same process.
        let newest = try stack.sql("SELECT max(at) FROM metric_samples")
        var next = newest
        let measured = Date().addingTimeInterval(25)
        while next == newest, Date() < measured {
            try await Task.sleep(for: .milliseconds(300))
            next = try stack.sql("SELECT max(at) FROM metric_samples")
        }
        #expect(next > newest && stack.pids("scheduler") == scheduler)
    }

    /// The server with all that serve its connections.
    private func halt(_ stack: TestStack, _ number: CInt) {
        guard let server = stack.pids("postgres").first else { return }
        let children =
            (try? TestStack.shell("pgrep -P \(server)"))?.split(separator: "\n").compactMap { Int32($0) } ?? []
        for pid in [server] + children { _ = kill(pid, number) }
    }
}
