import Foundation
import SoulBoxModel
import Testing

/// Lists, page by page.
@Suite("Pages", .enabled(if: Host.canRunStack), .serialized)
struct PagingTests {
    private var stack: TestStack { .shared }

    /// An account with so many executions; the key to it.
    private func account(_ count: Int) async throws -> String {
        let key = try stack.makeKey(account: "pages \(UUID().uuidString)")
        for _ in 0..<count { try await add(key) }
        return key
    }

    private func add(_ key: String) async throws {
        let answer = try await stack.send(
            "POST", "/api/execute", body: Array(#"{"language":"python","code":"print(1)"}"#.utf8), key: key)
        #expect(answer.status == 200)
    }

    private func ids(_ answer: Answer) -> [String] {
        answer.json["executions"]?.arrayValue?.compactMap { $0["execution_id"]?.stringValue } ?? []
    }

    @Test("a walk by offset or by cursor shows each item once, whatever is added meanwhile")
    func walk() async throws {
        let key = try await account(7)
        let all = ids(try await stack.send("GET", "/api/executions", key: key))
        #expect(all.count == 7 && all == all.sorted(by: >))
        var next: String? = "/api/executions?limit=3"
        var seen: [String] = []
        while let path = next {
            let page = try await stack.send("GET", path, key: key)
            #expect(page.status == 200, "\(path) \(page.text)")
            #expect(page.headers["x-pagination-total"] == "7" && page.headers["x-pagination-limit"] == "3")
            #expect(page.headers["x-pagination-offset"] == String(seen.count))
            seen += ids(page)
            next = page.headers["x-pagination-next"]
            if let next { #expect(page.headers["link"] == "<\(next)>; rel=\"next\"") }
            try await add(key)
        }
        #expect(seen == all)

        let present = ids(try await stack.send("GET", "/api/executions", key: key))
        seen = []
        next = "/api/executions?limit=4"
        var page = try await stack.send("GET", "/api/executions?limit=4", key: key)
        seen += ids(page)
        while let cursor = page.headers["x-pagination-cursor"] {
            try await add(key)
            page = try await stack.send("GET", "/api/executions?limit=4&cursor=\(cursor)", key: key)
            #expect(page.headers["x-pagination-offset"] == nil)
            seen += ids(page)
        }
        #expect(seen == present)
    }

    @Test("filters show what they say, and next pages keep them")
    func filters() async throws {
        let key = try await account(3)
        let failed = try await stack.send(
            "POST", "/api/execute",
            body: Array(#"{"language":"python","code":"import time; time.sleep(9)","timeout":1}"#.utf8),
            key: key)
        let id = failed.json["execution_id"]?.stringValue ?? ""
        #expect(ids(try await stack.send("GET", "/api/executions?status=timeout", key: key)) == [id])
        #expect(ids(try await stack.send("GET", "/api/executions?language=go", key: key)).isEmpty)
        #expect(ids(try await stack.send("GET", "/api/executions?language=py", key: key)).count == 4)
        #expect(ids(try await stack.send("GET", "/api/executions?since=2999-01-01T00:00:00Z", key: key)).isEmpty)
        #expect(ids(try await stack.send("GET", "/api/executions?until=2001-01-01T00:00:00Z", key: key)).isEmpty)
        let page = try await stack.send("GET", "/api/executions?status=completed&limit=2", key: key)
        #expect(page.headers["x-pagination-next"]?.contains("status=completed") == true)
        let keys = try await stack.send("GET", "/api/auth/api-keys?limit=1")
        #expect(keys.json["api_keys"]?.arrayValue?.count == 1 && keys.headers["x-pagination-next"] != nil)
    }

    @Test(
        "wrong parameters are named",
        arguments: [
            ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=abc", "limit"), ("limit=1e3", "limit"),
            ("limit=-1", "limit"), ("offset=-1", "offset"), ("cursor=x", "cursor"), ("status=done", "status"),
            ("language=cobol", "language"), ("since=yesterday", "since"), ("nonsense=1", "nonsense"),
            ("limit=1&limit=2", "limit"), ("status=%00", "query"), ("status=%ff", "query"),
        ])
    func wrong(query: String, field: String) async throws {
        let answer = try await stack.send("GET", "/api/executions?" + query)
        #expect(answer.status == 400 && answer.json["error"]?["details"]?["field"] == .string(field), "\(answer.text)")
    }
}
