import SoulBoxModel
import SoulBoxStore
import Testing

@testable import SoulBoxAPI

/// What is refused before the database is asked.
@Suite("Report routes")
struct ReportRoutesTests {
    private let api = TestAPI(repository: FakeRepository(permissions: [.reportRead]))

    @Test(
        "wrong parameters are named",
        arguments: [
            ("usage?from=yesterday", ["from"]), ("usage?from=2026-02-30", ["from"]),
            ("usage?to=2026-11-27T10:00", ["to"]),
            ("usage?from=2026-11-27T10:07:00Z", ["from"]), ("usage?from=2026-11-27T10:15:00.001Z", ["from"]),
            ("usage?from=2026-11-27&to=2026-11-27", ["to"]), ("usage?from=2026-11-28&to=2026-11-27", ["to"]),
            ("usage?from=2025-01-01&to=2026-11-27", ["from"]), ("usage?from=2020-01-01", ["from"]),
            ("usage?from=1969-12-31&to=1970-01-05", ["from"]), ("usage?to=1970-01-02", ["from"]),
            ("usage?from=0000-01-01&to=0000-01-02", ["from"]),
            ("usage?from=9999-12-31&to=9999-12-31T23:45:00-23:00", ["to"]),
            ("usage?group_by=week", ["group_by"]), ("usage?group_by=", ["group_by"]), ("usage?limit=5", ["limit"]),
            ("usage?group_by=key&limit=0", ["limit"]), ("usage?group_by=key&limit=10001", ["limit"]),
            ("usage?nonsense=1", ["nonsense"]), ("usage?from=2026-11-01&from=2026-11-02", ["from"]),
            ("usage?from=x&to=y&group_by=z&limit=q&a=b", ["from", "to", "group_by", "limit", "a"]),
            ("executions?from=2026-11-27T10:15:00Z", ["from"]), ("executions?order=fastest", ["order"]),
            ("executions?limit=51", ["limit"]), ("executions?limit=0", ["limit"]),
            ("executions?group_by=day", ["group_by"]),
            ("executions?from=2026-11-28&to=2026-11-27", ["to"]),
        ])
    func wrong(query: String, fields: [String]) {
        let answer = api.call("GET", "/api/reports/\(query)")
        #expect(answer.status == 400, "\(answer.json.text)")
        let details = answer.json["error"]?["details"]
        #expect(
            details?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue } == fields, "\(answer.json.text)")
    }

    @Test(
        "right ones reach the database",
        arguments: [
            "usage", "usage?from=2026-11-01", "usage?to=2026-11-01",
            "usage?from=2026-11-01T00:15:00Z&to=2026-11-01T00:30:00Z",
            "usage?from=2026-11-01T00:00:00%2B05:30&to=2026-11-30T00:00:00-03:45",
            "usage?from=2025-01-01&to=2026-02-05",
            "usage?group_by=key&limit=10000", "usage?from=1970-01-01&to=1970-01-02",
            "usage?from=9999-12-30&to=9999-12-31",
            "executions", "executions?order=failing&limit=50", "executions?from=2026-11-01T00:00:00Z&to=2026-11-02",
        ])
    func right(query: String) {
        #expect(api.call("GET", "/api/reports/\(query)").status == 503)
        #expect(api.call("GET", "/api/reports/\(query)", headers: ["accept": "text/csv"]).status == 503)
    }

    @Test("nobody without the permission learns anything, and only administrators see accounts")
    func permissions() {
        let other = TestAPI(repository: FakeRepository(permissions: [.execute, .monitorRead]))
        for path in ["/api/reports/usage?from=x", "/api/reports/executions?order=x"] {
            #expect(other.call("GET", path).status == 403)
            #expect(other.call("GET", path, key: nil).status == 401)
        }
        let accounts = api.call("GET", "/api/reports/usage?group_by=account")
        #expect(accounts.status == 403 && accounts.json["error"]?["details"]?["required"] == "admin")
        let admin = TestAPI(repository: FakeRepository(permissions: [.admin]))
        #expect(admin.call("GET", "/api/reports/usage?group_by=account").status == 503)
    }

    @Test("what can be given is told to whoever wants something else")
    func accept() {
        let answer = api.call("GET", "/api/reports/usage", headers: ["accept": "application/xml"])
        #expect(answer.status == 406 && answer.json["error"]?["code"] == "VALIDATION_ERROR")
        #expect(answer.json["error"]?["details"]?["field"] == "Accept" && answer.header("Vary") == "Accept")
    }
}
