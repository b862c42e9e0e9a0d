import Foundation
import SoulBoxModel
import Testing

/// An account of its own on a test's stack, with sandboxes and their snapshots.
struct SnapshotAccount {
    let account: TemplateAccount

    init(on stack: TestStack = .shared) async throws { account = try await TemplateAccount(on: stack) }

    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        try await account.send(method, path, body)
    }

    /// A running sandbox, of Python with a disk of 64 MiB unless it says otherwise.
    func makeSandbox(_ more: [(String, JSONValue)] = []) async throws -> String {
        var body = JSONObject([("runtime", "python"), ("resources", ["disk_limit": "64M", "memory_limit": "128M"])])
        for (name, value) in more { body[name] = value }
        let answer = try await send("POST", "/api/sandboxes?wait=true", .object(body))
        return try #require(answer.json["sandbox_id"]?.stringValue, "\(answer.text)")
    }

    /// Takes a snapshot and waits for its end.
    func takeSnapshot(of sandbox: String, memory: Bool = false, compress: Bool = false) async throws -> JSONValue {
        let answer = try await send(
            "POST", "/api/sandboxes/\(sandbox)/snapshots",
            ["name": "taken", "include_memory": .bool(memory), "compress": .bool(compress)])
        let id = try #require(answer.json["snapshot_id"]?.stringValue, "\(answer.text)")
        return try await end(of: id)
    }

    /// Waits for the end of a snapshot.
    func end(of id: String) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(60)
        while true {
            let answer = try await send("GET", "/api/snapshots/\(id)")
            if answer.json["status"] != "creating" || Date() > deadline { return answer.json }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// What Python prints in a sandbox.
    func run(_ code: String, in sandbox: String, context: String? = nil) async throws -> String {
        var members: [(String, JSONValue)] = [
            ("language", "python"), ("code", .string(code)), ("sandbox_id", .string(sandbox)),
        ]
        if let context { members.append(("context_id", .string(context))) }
        let answer = try await send("POST", "/api/execute", .object(JSONObject(members)))
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json["output"]?.stringValue ?? answer.text
    }

    /// Waits until a sandbox is not being made any more, and gives its details.
    func settled(_ sandbox: String) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(60)
        while true {
            let answer = try await send("GET", "/api/sandboxes/\(sandbox)")
            if answer.json["status"] != "creating" || Date() > deadline { return answer.json }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
