import Foundation
import SoulBoxModel
import Testing

/// An account of its own on a test's stack, with templates.
struct TemplateAccount {
    let stack: TestStack
    let id: String

    init(on stack: TestStack = .shared, quota: Int? = nil) async throws {
        self.stack = stack
        let quotas = quota.map { #","quotas":{"templates":\#($0)}"# } ?? ""
        let answer = try await stack.send(
            "POST", "/api/accounts", body: Array(#"{"name":"templates \#(UUID().uuidString)"\#(quotas)}"#.utf8))
        #expect(answer.status == 201, "\(answer.text)")
        id = try #require(answer.json["account_id"]?.stringValue)
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await stack.send(
            method, path, body: body?.bytes, headers: headers.merging(["X-Account-ID": id]) { $1 })
    }

    /// Asks for a template and gives its identifier.
    func make(_ members: [(String, JSONValue)]) async throws -> String {
        let body = JSONValue.object(
            JSONObject([("name", .string(UUID().uuidString)), ("base", "basic-python")] + members))
        let answer = try await send("POST", "/api/templates", body)
        #expect(answer.status == 202, "\(answer.text)")
        #expect(answer.json["status"] == "building")
        let id = try #require(answer.json["template_id"]?.stringValue)
        #expect(answer.headers["location"] == "/api/templates/\(id)")
        return id
    }

    /// Waits for the end of the newest build, and gives it.
    func awaitBuild(_ id: String, seconds: Double = 60) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            let answer = try await send("GET", "/api/templates/\(id)/build")
            #expect(answer.status == 200, "\(answer.text)")
            let status = answer.json["status"]?.stringValue ?? ""
            if !["queued", "building"].contains(status) { return answer.json }
            guard Date() < deadline else {
                Issue.record("the build has not ended: \(answer.text)")
                return answer.json
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Runs Python in a sandbox made for it alone.
    func run(_ code: String, template: String) async throws -> Answer {
        try await send(
            "POST", "/api/execute", ["language": "python", "code": .string(code), "template": .string(template)])
    }
}
