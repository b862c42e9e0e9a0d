import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Alerts that real conditions raise, and those who are told of them.
@Suite("Alerts", .enabled(if: Host.canRunStack))
struct AlertTests {
    @Test("a full queue and a component that stands still are told, known of, and end by themselves")
    func conditions() async throws {
        let world = try AlertWorld()
        defer { world.stop() }
        let stack = world.stack
        let queue = try await world.makeRule("queue_depth", ">", 3, for: "5s", webhook: world.url("/queue"))
        let gateway = "component_gateway_up"
        let failing = try await world.makeRule(gateway, "<", 1, webhook: world.url("/fails-twice"))
        let redirecting = try await world.makeRule(gateway, "<", 1, webhook: world.url("/redirects"))
        let local = try await world.makeRule(gateway, "<", 1, webhook: "http://localhost:\(world.receiver)/local")
        let encrypted = try await world.makeRule(
            gateway, "<", 1, webhook: "https://\(AlertWorld.address):\(world.tlsReceiver)/encrypted")
        let trusted = try await world.makeRule(
            gateway, "<", 1, webhook: "https://\(AlertWorld.address):\(world.trustedReceiver)/trusted")
        let any = try await world.makeRule("component_up", "<", 1)
        #expect(try await AlertWorld.wait(seconds: 20) { world.lines("monitor").count > 2 })

        // One runs at a time: some twenty seconds of work that waits.
        for _ in 0..<12 {
            let answer = try await stack.execute([
                "language": "python", "code": "import time\ntime.sleep(1.8)", "async": true,
            ])
            #expect(answer.status == 202, "\(answer.text)")
        }
        // The queue's alert, while the gateways still tell of it.
        let raised = try await world.awaitAlert(of: queue, "active")
        #expect(raised["message"] == "Queue depth is above threshold" && raised["severity"] == "critical")
        #expect(raised["value"]?.numberValue ?? 0 > 3 && raised["threshold"]?.numberValue == 3)
        let id = try #require(raised["alert_id"]?.stringValue)
        #expect(try await stack.send("GET", "/api/alerts").text.contains(id))
        #expect(
            try await AlertWorld.wait(seconds: 5) {
                world.lines("monitor").contains { $0["type"] == "alert" && $0["alert"]?["alert_id"] == .string(id) }
            }, "no message of it on /ws/monitor")
        #expect(
            world.lines("monitor").contains { $0["metric"] == "alerts" && $0["value"]?.numberValue ?? 0 >= 1 })

        let body = Array(#"{"comment":"Investigating the issue"}"#.utf8)
        let known = try await stack.send("POST", "/api/alerts/\(id)/acknowledge", body: body)
        #expect(known.status == 200 && known.json["status"] == "acknowledged", "\(known.text)")
        let again = try await stack.send("POST", "/api/alerts/\(id)/acknowledge")
        #expect(again.json["acknowledged_at"] == known.json["acknowledged_at"] && again.status == 200)

        let page = try await stack.metrics()
        #expect(page.sum("soulbox_alerts_open", "severity=\"critical\"", "status=\"acknowledged\"") == 1)
        #expect(page.sum("soulbox_alerts_open", "severity=\"info\"", "status=\"active\"") == 0)

        // A gateway that stands still takes connections and answers nobody.
        let pids = stack.pids("gateway")
        #expect(pids.count == 2)
        for pid in pids { kill(pid, SIGSTOP) }
        defer { for pid in pids { kill(pid, SIGCONT) } }
        var raisedBy: [String: String] = [:]
        for rule in [failing, redirecting, local, encrypted, trusted, any] {
            let alert = try await world.awaitAlert(of: rule, "active")
            raisedBy[rule] = alert["alert_id"]?.stringValue
            #expect(alert["message"] == "Component gateway is down", "\(alert.text)")
            #expect(alert["subject"]?.stringValue?.hasPrefix("gateway@") == true && alert["value"] == .number(0))
        }
        #expect(try await AlertWorld.wait(seconds: 10) { !world.lines("trusted").isEmpty })
        let secured = world.lines("trusted").first
        #expect(secured?["signed"] == true && secured?["body"]?["event"] == "alert.triggered", "over https")
        // While deliveries are tried again the gateways come back, and the alerts end.
        for pid in pids { kill(pid, SIGCONT) }
        try await failures(world, raisedBy, failing, redirecting, local, encrypted)

        for rule in [queue, failing, any] {
            let alert = try await world.awaitAlert(of: rule, "resolved")
            #expect(alert["resolution"] == "condition_ended", "\(alert.text)")
            #expect(try await world.alerts(of: rule).count == 1)
        }
        let ended = try await stack.send("GET", "/api/alerts/\(id)").json
        let history = ended["history"]?.arrayValue ?? []
        #expect(history.compactMap { $0["event"]?.stringValue } == ["triggered", "acknowledged", "resolved"])
        #expect(history.map { $0["comment"] } == [.null, "Investigating the issue", .null])
        #expect(history.map { $0["key_id"]?.isNull } == [true, false, true])
        #expect(try await stack.send("POST", "/api/alerts/\(id)/acknowledge").status == 409)
        #expect(try await stack.send("POST", "/api/alerts/\(id)/resolve").json["resolution"] == "condition_ended")

        #expect(try await AlertWorld.wait(seconds: 10) { world.received("/queue").count == 3 })
        let deliveries = world.received("/queue")
        #expect(
            deliveries.compactMap { $0["body"]?["event"]?.stringValue }
                == ["alert.triggered", "alert.acknowledged", "alert.resolved"])
        #expect(deliveries[1]["body"]?["comment"] == "Investigating the issue")
        for delivery in deliveries {
            #expect(delivery["signed"] == true && delivery["type"] == "application/json", "\(delivery.text)")
            #expect((-1..<10).contains(delivery["age"]?.numberValue ?? 99))
            #expect(delivery["body"]?["alert"]?["alert_id"] == .string(id))
            #expect(delivery["body"]?["delivery_id"] == delivery["delivery"])
        }
        #expect(Set(deliveries.map { $0["delivery"]?.stringValue }).count == 3)
        try secrets(world)
    }

    /// A receiver that is away for a while gets it in the end, and what must not be reached is not.
    private func failures(
        _ world: AlertWorld, _ alerts: [String: String], _ failing: String, _ redirecting: String, _ local: String,
        _ encrypted: String
    ) async throws {
        func report(_ rule: String) async throws -> JSONValue {
            let alert = try await world.stack.send("GET", "/api/alerts/\(try #require(alerts[rule]))").json
            return alert["deliveries"]?.arrayValue?.first ?? .null
        }
        let isDelivered = try await AlertWorld.wait(seconds: 30) {
            try await report(failing)["status"] == "delivered"
        }
        #expect(isDelivered, "what failed twice was not delivered")
        let attempts = world.received("/fails-twice").filter { $0["body"]?["event"] == "alert.triggered" }
        #expect(attempts.count == 3 && Set(attempts.map { $0["delivery"]?.stringValue }).count == 1)
        #expect(attempts.allSatisfy { $0["signed"] == true })
        for (rule, error) in [
            (redirecting, "answered 307: redirects are not followed"),
            (local, "the host's address is private or this machine's own"),
            (encrypted, "its certificate is not good for that name"),
        ] {
            let found = try await report(rule)
            #expect(found["error"] == .string(error) && found["status"] == "pending", "\(found.text)")
            #expect(found["attempts"]?.integerValue ?? 0 >= 1 && found["next_attempt_at"]?.stringValue != nil)
        }
        #expect(world.received("/canary").isEmpty && world.lines("local").isEmpty && world.lines("encrypted").isEmpty)
    }

    /// The secret is in no file of the instance.
    private func secrets(_ world: AlertWorld) throws {
        let home = world.stack.home
        let found = try TestStack.shell(
            "grep -rlF -- '\(AlertWorld.secret)' '\(home)/data/log' '\(home)/data/postgres' '\(home)/run/' 2> /dev/null; true"
        )
        #expect(found.isEmpty, "\(found)")
    }

    @Test("of two schedulers one decides, another within seconds of its death, and nothing is raised or lost twice")
    func leaders() async throws {
        let world = try AlertWorld()
        defer { world.stop() }
        let stack = world.stack
        let configuration = try JSONParser.parse(
            Array(try Data(contentsOf: URL(filePath: stack.home + "/run/config.json"))))
        let user = UInt32(try #require(configuration["service_user"]?.integerValue))
        let group = UInt32(try #require(configuration["service_group"]?.integerValue))
        let second = try TestProcess(
            TestStack.binaries + "/soulbox-scheduler", ["--config", stack.home + "/run/config.json"],
            environment: ["PATH": "/usr/bin:/bin"], log: stack.home + "/second.log", user: user, group: group)
        defer { second.signal(SIGKILL) }
        var leader: Int32?
        #expect(
            try await AlertWorld.wait(seconds: 15) {
                leader = try world.leader()
                return leader != nil
            })
        // One of the two dies; the other looks every five seconds whether the place is free.
        let before = try #require(leader)
        let death = Date()
        kill(before, SIGKILL)
        #expect(
            try await AlertWorld.wait(seconds: 10) {
                leader = try world.leader()
                return leader != nil && leader != before
            })
        print("another scheduler decides after \(Date().timeIntervalSince(death)) s")
        let rule = try await world.makeRule("sandboxes_running", ">=", 0, webhook: world.url("/hangs-once"))
        let alert = try await world.awaitAlert(of: rule, "active")
        #expect(try await AlertWorld.wait(seconds: 10) { world.received("/hangs-once").count == 1 })

        // Whoever decides, and whoever waits for the receiver's answer at this moment.
        let first = try #require(leader)
        kill(first, SIGKILL)
        for pid in stack.pids("scheduler") { kill(pid, SIGKILL) }
        second.signal(SIGKILL)
        let third = try TestProcess(
            TestStack.binaries + "/soulbox-scheduler", ["--config", stack.home + "/run/config.json"],
            environment: ["PATH": "/usr/bin:/bin"], log: stack.home + "/third.log", user: user, group: group)
        defer { third.signal(SIGKILL) }
        #expect(
            try await AlertWorld.wait(seconds: 15) {
                leader = try world.leader()
                return leader != nil && leader != first
            })
        // What was being sent is nobody's once its time is over; it is not waited for here.
        _ = try world.query("UPDATE webhook_deliveries SET leased_until = now() WHERE status = 'pending'")
        #expect(try await AlertWorld.wait(seconds: 10) { world.received("/hangs-once").count == 2 })
        let deliveries = world.received("/hangs-once")
        #expect(Set(deliveries.map { $0["delivery"]?.stringValue }).count == 1 && deliveries.last?["signed"] == true)

        // The successor decides: about the old alert not again, about a new rule once.
        let another = try await world.makeRule("sandboxes_running", ">=", 0)
        _ = try await world.awaitAlert(of: another, "active")
        #expect(try await world.alerts(of: another).count == 1)
        #expect(try await world.alerts(of: rule).map { $0["alert_id"] } == [alert["alert_id"]])
        let deleted = try await stack.send("DELETE", "/api/alerts/rules/\(rule)")
        #expect(deleted.status == 200, "\(deleted.text)")
        #expect(try await world.awaitAlert(of: rule, "resolved")["resolution"] == "rule_deleted")
        #expect(try await AlertWorld.wait(seconds: 10) { world.received("/hangs-once").count == 3 })
        let changed = try await stack.send(
            "PUT", "/api/alerts/rules/\(another)", body: Array(#"{"enabled":false}"#.utf8))
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try await world.awaitAlert(of: another, "resolved")["resolution"] == "rule_disabled")
        try await Task.sleep(for: .seconds(6))
        #expect(try await world.alerts(of: another).count == 1, "a disabled rule raises nothing")
    }
}
