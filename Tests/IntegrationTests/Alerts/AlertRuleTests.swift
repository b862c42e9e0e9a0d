import Foundation
import SoulBoxModel
import Testing

/// The rules of alerts over the API, and who may do what.
@Suite("Rules of alerts", .enabled(if: Host.canRunStack), .serialized)
struct AlertRuleTests {
    private var stack: TestStack { .shared }

    private static let whole = """
        {"name":"High CPU Usage","metric":"cpu_usage","comparison":">","threshold":80.0,"for":"5m","severity":"warning",
         "enabled":false,"webhook":{"url":"https://hooks.example.com/T1/secret?x=y","secret":"0123456789abcdef"}}
        """

    private func post(_ body: String, headers: [String: String] = [:], key: String? = nil) async throws -> Answer {
        try await stack.send("POST", "/api/alerts/rules", body: Array(body.utf8), headers: headers, key: key)
    }

    @Test("a rule is made, seen, changed and deleted; its secret is never shown, its URL to writers alone")
    func life() async throws {
        let headers = ["Idempotency-Key": UUID().uuidString]
        let made = try await post(AlertRuleTests.whole, headers: headers)
        #expect(made.status == 201, "\(made.text)")
        #expect(try await post(AlertRuleTests.whole, headers: headers).body == made.body)
        let id = try #require(made.json["rule_id"]?.stringValue)
        let path = "/api/alerts/rules/\(id)"
        #expect(id.hasPrefix("rule_") && made.headers["location"] == path)
        #expect(
            made.json["webhook"] == ["url": "https://hooks.example.com/T1/secret?x=y", "has_secret": true],
            "\(made.text)")
        #expect(made.json["for"] == "5m" && made.json["enabled"] == false)
        let reader = try stack.makeKey("monitor_read")
        let shown = try await stack.send("GET", path, key: reader)
        #expect(shown.json["webhook"]?["url"] == "https://hooks.example.com", "\(shown.text)")
        let list = try await stack.send("GET", "/api/alerts/rules?limit=1000", key: reader)
        #expect(list.text.contains(id) && !list.text.contains("/T1/") && !list.text.contains("0123456789abcdef"))
        #expect(list.headers["x-pagination-total"] == "\(list.json["rules"]?.arrayValue?.count ?? 0)")

        func put(_ body: String) async throws -> Answer {
            try await stack.send("PUT", path, body: Array(body.utf8))
        }
        let changed = try await put(#"{"threshold":95,"webhook":{"url":"https://elsewhere.example.com:8443"}}"#)
        #expect(changed.status == 200 && changed.json["threshold"]?.numberValue == 95, "\(changed.text)")
        #expect(changed.json["webhook"]?["url"] == "https://elsewhere.example.com:8443/")
        #expect(changed.json["name"] == "High CPU Usage" && changed.json["severity"] == "warning")
        #expect(try await put(#"{"webhook":null}"#).json["webhook"] == .null)
        let bare = try await put(#"{"webhook":{"url":"https://elsewhere.example.com"}}"#)
        #expect(bare.status == 400 && bare.json["error"]?["details"]?["field"] == "webhook.secret", "\(bare.text)")
        #expect(try await stack.send("DELETE", path).json["status"] == "deleted")
        for method in ["GET", "DELETE"] { #expect(try await stack.send(method, path).status == 404) }
        #expect(try await put("{}").status == 404)
        let audit = try await stack.send("GET", "/api/audit?limit=1000")
        let lines = (audit.json["entries"]?.arrayValue ?? []).filter { $0["path"] == .string(path) }
        #expect(lines.contains { $0["method"] == "DELETE" && $0["status"] == 200 })
        #expect(lines.contains { $0["method"] == "PUT" && $0["status"] == 200 })
    }

    @Test(
        "wrong bodies are refused, every field named",
        arguments: [
            (#"{}"#, ["name", "metric", "comparison", "threshold", "severity"]),
            (
                #"{"name":"","metric":"x","comparison":"=","threshold":"1","severity":"bad","for":"5","enabled":1,"a":1}"#,
                ["a", "name", "metric", "comparison", "threshold", "severity", "for", "enabled"]
            ),
            (
                #"{"name":"n","metric":"cpu_usage","comparison":">","threshold":1e300,"severity":"info","for":"7h"}"#,
                ["threshold", "for"]
            ),
        ])
    func malformed(body: String, fields: [String]) async throws {
        let answer = try await post(body)
        #expect(answer.status == 400, "\(answer.text)")
        let told = answer.json["error"]?["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue }
        #expect(Set(told ?? []) == Set(fields), "\(answer.text)")
    }

    @Test(
        "89: webhooks to places within are refused",
        arguments: [
            "http://127.0.0.1/", "http://10.0.0.1:8080/x", "http://169.254.169.254/latest/meta-data/", "https://[::1]/",
            "http://[fd00:ec2::254]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://2130706433/",
            "http://0x7f000001/", "ftp://example.com/", "http://user:pass@example.com/", "file:///etc/passwd", "x",
        ])
    func within(url: String) async throws {
        let body: JSONValue = [
            "name": "n", "metric": "cpu_usage", "comparison": ">", "threshold": 1, "severity": "info",
            "webhook": ["url": .string(url), "secret": "0123456789abcdef"],
        ]
        let answer = try await post(body.text)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["error"]?["details"]?["field"] == "webhook.url", "\(answer.text)")
    }

    @Test("reading needs monitor_read, everything else alert_write, of whatever account")
    func permissions() async throws {
        let made = try await post(AlertRuleTests.whole)
        let rule = try #require(made.json["rule_id"]?.stringValue)
        let reader = try stack.makeKey("monitor_read", account: "alert readers")
        let writer = try stack.makeKey("alert_write", account: "alert writers")
        let other = try stack.makeKey(
            "execute,sandbox_read,sandbox_write,snapshot_read,snapshot_write,template_write,report_read")
        let body = Array(#"{"name":"n"}"#.utf8)
        let alert = Identifier.make(.alert)
        for (method, path, isRead, status) in [
            ("GET", "/api/alerts", true, 200), ("GET", "/api/alerts/\(alert)", true, 404),
            ("POST", "/api/alerts/\(alert)/acknowledge", false, 404),
            ("POST", "/api/alerts/\(alert)/resolve", false, 404), ("GET", "/api/alerts/rules", true, 200),
            ("GET", "/api/alerts/rules/\(rule)", true, 200), ("POST", "/api/alerts/rules", false, 400),
            ("PUT", "/api/alerts/rules/\(rule)", false, 200), ("DELETE", "/api/alerts/rules/\(rule)", false, 200),
        ] {
            let sent = path.hasPrefix("/api/alerts/rules") && ["POST", "PUT"].contains(method) ? body : nil
            for (key, may) in [(other, false), (isRead ? writer : reader, false), (isRead ? reader : writer, true)] {
                let answer = try await stack.send(method, path, body: sent, key: key)
                #expect(answer.status == (may ? status : 403), "\(method) \(path) \(answer.text)")
                guard !may else { continue }
                let missing: JSONValue = isRead ? "monitor_read" : "alert_write"
                #expect(answer.json["error"]?["details"]?["required"] == missing, "\(answer.text)")
            }
            #expect(try await stack.send(method, path, body: sent, authenticated: false).status == 401)
        }
    }

    @Test("malformed and unknown ones are not there; wrong parameters are named")
    func unknown() async throws {
        for id in ["x", "alert_", Identifier.make(.alert), Identifier.make(.rule), "rules%00"] {
            let answer = try await stack.send("GET", "/api/alerts/\(id)")
            #expect(answer.status == 404 || answer.status == 400 && id.contains("%"), "\(answer.text)")
        }
        for query in ["status=open", "severity=bad", "cursor=x", "limit=0", "x=1"] {
            #expect(try await stack.send("GET", "/api/alerts?\(query)").status == 400)
        }
        let wrong = try await stack.send(
            "POST", "/api/alerts/\(Identifier.make(.alert))/resolve", body: Array(#"{"comment":1,"x":2}"#.utf8))
        #expect(wrong.status == 400 && wrong.json["error"]?["details"]?["fields"]?.arrayValue?.count == 2)
    }
}
