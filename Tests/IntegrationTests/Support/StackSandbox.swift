import Foundation
import SoulBoxModel
import Testing

/// A persistent sandbox on a test's stack.
struct StackSandbox {
    let stack: TestStack
    let id: String

    /// Makes one that runs.
    init(
        on stack: TestStack = .shared, _ more: [(String, JSONValue)] = [], runtime: String = "python"
    ) async throws {
        self.stack = stack
        let body = JSONValue.object(
            JSONObject(
                [
                    ("name", "test"), ("runtime", .string(runtime)),
                    ("resources", ["memory_limit": "256M", "disk_limit": "64M"]),
                ] + more))
        let answer = try await stack.send("POST", "/api/sandboxes?wait=true", body: body.bytes)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(answer.json["status"] == "running")
        id = try #require(answer.json["sandbox_id"]?.stringValue)
    }

    var details: JSONValue { get async throws { try await stack.send("GET", "/api/sandboxes/\(id)").json } }

    /// Runs code in it and gives the result.
    func run(_ code: String, _ more: [(String, JSONValue)] = []) async throws -> JSONValue {
        let body = JSONValue.object(JSONObject([("code", .string(code))] + more))
        let answer = try await stack.send("POST", "/api/sandboxes/\(id)/execute", body: body.bytes)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    /// Sends a request about it.
    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await stack.send(method, "/api/sandboxes/\(id)\(path)", body: body?.bytes, headers: headers)
    }

    func put(_ path: String, _ bytes: [UInt8], headers: [String: String] = [:]) async throws -> Answer {
        try await stack.send(
            "PUT", "/api/sandboxes/\(id)/files/\(path)", body: bytes,
            headers: ["Content-Type": "application/octet-stream"].merging(headers) { $1 })
    }

    func remove() async throws {
        let answer = try await stack.send("DELETE", "/api/sandboxes/\(id)?force=true")
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// Waits until it stands so.
    func await(_ status: String, seconds: Double = 10) async throws -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if try await details["status"]?.stringValue == status { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}
