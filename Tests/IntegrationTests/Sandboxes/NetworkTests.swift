import Foundation
import SoulBoxModel
import TestWorld
import Testing

@Suite("Networks of sandboxes through the API", .serialized, .enabled(if: Host.canRunStack))
struct NetworkTests {
    /// A stack whose server of names is the world's.
    private static let stack: TestStack? =
        TestWorld.shared == nil
        ? nil
        : try? TestStack(configuration: "network:\n  resolvers: [\"\(TestWorld.resolver)\"]\n  connections: 300\n")

    private static let code = """
        import socket
        def reach(host, port):
            try:
                s = socket.create_connection((host, port), timeout=3); return s.recv(100).decode().strip()
            except OSError as e: return type(e).__name__

        """

    private func output(_ result: JSONValue) -> String { result["output"]?.stringValue ?? "\(result)" }

    @Test("a sandbox reaches the names that it may, a change takes effect at once, and traffic is counted")
    func names() async throws {
        let stack = try #require(NetworkTests.stack)
        let sandbox = try await StackSandbox(
            on: stack, [("network", ["enabled": true, "allowed_hosts": ["good.test:8000"]])])
        let first = try await sandbox.run(
            NetworkTests.code + "print(reach('good.test', 8000), reach('other.test', 8000))")
        #expect(output(first) == "hello from \(TestWorld.good) gaierror\n", "\(first)")
        let changed = try await sandbox.send("PUT", "", ["network": ["allowed_hosts": ["other.test"]]])
        #expect(changed.status == 200 && changed.json["network"]?["allowed_hosts"] == ["other.test"], "\(changed.text)")
        let second = try await sandbox.run(
            NetworkTests.code + "print(reach('good.test', 8000), reach('other.test', 8000))")
        #expect(output(second) == "gaierror hello from \(TestWorld.other)\n", "\(second)")
        let network = try await sandbox.details["network"]
        #expect(
            (network?["sent_bytes"]?.integerValue ?? 0) > 100 && (network?["received_bytes"]?.integerValue ?? 0) > 100)
        let off = try await sandbox.send("PUT", "", ["network": ["enabled": false]])
        #expect(off.json["network"]?["enabled"] == false && off.json["network"]?["sent_bytes"] == nil, "\(off.text)")
        let third = try await sandbox.run(NetworkTests.code + "print(reach('\(TestWorld.other)', 8000))")
        #expect(output(third) == "OSError\n", "\(third)")
        try await sandbox.remove()
    }

    @Test("one-shot executions have no network unless they ask, and in a sandbox its own counts")
    func oneShot() async throws {
        let stack = try #require(NetworkTests.stack)
        for (access, expected) in [(true, "hello from \(TestWorld.good)"), (false, "OSError")] {
            let answer = try await stack.send(
                "POST", "/api/execute",
                body: JSONValue.object(
                    JSONObject([
                        ("language", "python"), ("network_access", .bool(access)),
                        ("code", .string(NetworkTests.code + "print(reach('\(TestWorld.good)', 8000))")),
                    ])
                ).bytes)
            #expect(output(answer.json) == expected + "\n", "\(answer.text)")
        }
        let sandbox = try await StackSandbox(on: stack)
        let refused = try await sandbox.send("POST", "/execute", ["code": "1", "network_access": true])
        #expect(refused.status == 400, "\(refused.text)")
        try await sandbox.remove()
    }

    @Test(
        "places that are never reached, or are none, are refused by name",
        arguments: [
            "10.0.0.0/8", "169.254.169.254", "127.0.0.1", "192.168.1.1:80", "2001:db8::1", "http://good.test", "*",
            "a b", "1.2.3.4/33",
        ])
    func refused(host: String) async throws {
        let answer = try await (try #require(NetworkTests.stack)).send(
            "POST", "/api/sandboxes",
            body: JSONValue.object(
                JSONObject([
                    ("name", "x"), ("runtime", "python"),
                    ("network", ["enabled": true, "allowed_hosts": [.string(host)]]),
                ])
            ).bytes)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["error"]?["details"]?["field"] == "network.allowed_hosts[0]", "\(answer.text)")
    }

    @Test("without a network on the installation the request says so, and nothing else changes")
    func unavailable() async throws {
        let stack = try TestStack(configuration: "network:\n  enabled: false\n")
        let answer = try await stack.send(
            "POST", "/api/execute",
            body: Array(#"{"language":"python","code":"print(1)","network_access":true}"#.utf8))
        #expect(answer.status == 503, "\(answer.text)")
        let plain = try await stack.send(
            "POST", "/api/execute", body: Array(#"{"language":"python","code":"print(1)"}"#.utf8))
        #expect(output(plain.json) == "1\n", "\(plain.text)")
        stack.stop()
    }
}
