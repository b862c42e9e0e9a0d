import Foundation
import SoulBoxModel
import Testing

@Suite("Snapshots of sandboxes", .enabled(if: Host.canRunStack), .serialized)
struct SnapshotTests {
    @Test("files are held completely and by differences, listed, refused to go while needed, and go")
    func life() async throws {
        let account = try await TemplateAccount()
        let made = try await account.send(
            "POST", "/api/sandboxes?wait=true", ["runtime": "python", "resources": ["disk_limit": "64M"]])
        let sandbox = try #require(made.json["sandbox_id"]?.stringValue, "\(made.text)")
        let path = "/api/sandboxes/\(sandbox)/snapshots"
        let early = try await account.send("POST", path, ["name": "early", "type": "incremental"])
        #expect(early.status == 400, "\(early.text)")
        let wrong = try await account.send("POST", path, ["name": "x", "tags": ["a": 1], "other": true])
        #expect(wrong.status == 400, "\(wrong.text)")
        let answer = try await account.send(
            "POST", path,
            [
                "name": "after-setup", "description": "Snapshot after initial setup", "type": "full", "compress": true,
                "include_memory": false, "tags": ["version": "1.0", "environment": "production"],
            ])
        #expect(answer.status == 202 && answer.json["status"] == "creating", "\(answer.text)")
        #expect(answer.json["estimated_completion"]?.stringValue != nil)
        let full = try #require(answer.json["snapshot_id"]?.stringValue)
        #expect(answer.headers["location"] == "/api/snapshots/\(full)")
        let done = try await end(of: full, account)
        #expect(done["status"] == "completed" && done["progress"] == .number(1), "\(done.text)")
        #expect(done["size_bytes"]?.integerValue ?? 0 > 0 && done["tags"]?["version"] == "1.0", "\(done.text)")
        let more = try await account.send("POST", path, ["name": "more", "type": "incremental"])
        let second = try #require(more.json["snapshot_id"]?.stringValue, "\(more.text)")
        let next = try await end(of: second, account)
        #expect(next["status"] == "completed" && next["parent_snapshot_id"] == .string(full), "\(next.text)")
        let list = try await account.send("GET", path)
        #expect(list.json["snapshots"]?.arrayValue?.count == 2, "\(list.text)")
        #expect(try await account.send("DELETE", "/api/snapshots/\(full)").status == 409)
        try await hideFromOthers(second, path)
        for id in [second, full] {
            #expect(try await account.send("DELETE", "/api/snapshots/\(id)").status == 200)
            #expect(try await isGone(id, account))
        }
        // With their sandbox go those that are left.
        let last = try await account.send("POST", path, ["name": "last"])
        let third = try #require(last.json["snapshot_id"]?.stringValue, "\(last.text)")
        #expect(try await end(of: third, account)["status"] == "completed")
        #expect(try await account.send("DELETE", "/api/sandboxes/\(sandbox)?force=true").status == 200)
        #expect(try await isGone(third, account))
    }

    /// 94: another account's snapshot is as if it did not exist, on every route.
    private func hideFromOthers(_ id: String, _ path: String) async throws {
        let other = try await TemplateAccount()
        for (method, end) in [("GET", ""), ("DELETE", ""), ("POST", "/restore")] {
            let body: JSONValue? = method == "POST" ? [:] : nil
            let real = try await other.send(method, "/api/snapshots/\(id)\(end)", body)
            let none = try await other.send(method, "/api/snapshots/\(Identifier.make(.snapshot))\(end)", body)
            #expect(
                real.status == 404 && real.json["error"]?["message"] == none.json["error"]?["message"], "\(real.text)")
        }
        #expect(try await other.send("GET", path).status == 404)
        #expect(try await other.send("GET", "/api/snapshots").json["snapshots"]?.arrayValue?.isEmpty == true)
        let own = try await other.send("POST", "/api/sandboxes?wait=true", ["runtime": "python"])
        let sandbox = try #require(own.json["sandbox_id"]?.stringValue, "\(own.text)")
        let child = try await other.send(
            "POST", "/api/sandboxes/\(sandbox)/snapshots",
            ["name": "s", "type": "incremental", "parent_snapshot_id": .string(id)])
        #expect(child.status == 400, "\(child.text)")
    }

    private func end(of id: String, _ account: TemplateAccount) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(30)
        while true {
            let answer = try await account.send("GET", "/api/snapshots/\(id)")
            if answer.json["status"] != "creating" || Date() > deadline { return answer.json }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func isGone(_ id: String, _ account: TemplateAccount) async throws -> Bool {
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            if try await account.send("GET", "/api/snapshots/\(id)").status == 404 { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
