import Foundation
import SoulBoxModel
import Testing

/// All tests of live connections, on one stack of their own.
@Suite("Live connections", .enabled(if: LiveClient.canRun), .serialized, .liveStack)
enum LiveTests {}

/// The stack of the tests of live connections: patience that fits into a test, and room for many.
enum LiveStack {
    private static let configuration = """
        executions:
          concurrent: 128
        gateway:
          processes: 2
          connections: 4096
          connections_per_key: 2048
          grace_seconds: 4
          ping_seconds: 1
          silence_seconds: 3
        """

    @TaskLocal fileprivate static var running: TestStack?

    /// The one that runs for these tests.
    static var shared: TestStack {
        get throws { try #require(running, "no stack runs") }
    }

    /// Starts it for the suite, and ends it after that.
    struct Scope: SuiteTrait, TestScoping {
        func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws {
            let stack = try TestStack(configuration: configuration)
            defer { stack.stop() }
            try await LiveStack.$running.withValue(stack) { try await function() }
        }
    }
}

extension Trait where Self == LiveStack.Scope {
    /// A stack for all tests of the suite.
    static var liveStack: Self { LiveStack.Scope() }
}

extension TestStack {
    /// Waits until so many gateways serve, each with its socket for the others.
    func awaitGateways(_ count: Int = 2, instead before: [Int32] = []) async throws {
        let directory = home + "/run/gateways"
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            let now = pids("gateway")
            let sockets = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            if now.count == count, sockets.count >= count, Set(now).isDisjoint(with: before) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the gateways did not come back")
    }

    /// An account of its own, with a key of it.
    func makeAccount(quotas: JSONValue = [:]) async throws -> (id: String, key: String) {
        let name = "live \(UUID().uuidString)"
        let made = try await send(
            "POST", "/api/accounts",
            body: JSONValue.object(JSONObject([("name", .string(name)), ("quotas", quotas)])).bytes)
        let id = try #require(made.json["account_id"]?.stringValue, "\(made.text)")
        return (id, try makeKey(account: name))
    }
}
