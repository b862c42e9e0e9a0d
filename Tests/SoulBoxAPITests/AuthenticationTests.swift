import SoulBoxAPI
import SoulBoxModel
import SoulBoxStore
import Testing

@Suite("Authentication")
struct AuthenticationTests {
    private let body: JSONValue = ["language": "python", "code": "1"]

    @Test(
        "refuses what is no good key, without a word on why",
        arguments: [
            "", "your-api-key-here", "sb_live_", TestKey.text + "x", String(TestKey.text.dropLast()),
            TestKey.text.replacing("sb_live", with: "sb_test"), TestKey.text.uppercased(),
            TestKey.text.replacing("-", with: "+"), TestKey.text.replacing("a", with: "b"), " " + TestKey.text,
        ])
    func refuses(key: String) {
        let response = TestAPI().call("POST", "/api/execute", body, key: key)
        #expect(response.status == 401)
        #expect(response.header("WWW-Authenticate") == "Bearer realm=\"soulbox\"")
        #expect(response.json["error"]?["code"] == "AUTHENTICATION_REQUIRED")
        #expect(response.json["error"]?["request_id"] == "req_test")
    }

    @Test(
        "wants a credential on every route but health",
        arguments: [
            ("POST", "/api/execute"), ("GET", "/api/execute/x"), ("DELETE", "/api/execute/x"),
            ("GET", "/api/execute/x/files/y"), ("GET", "/api/languages"),
        ])
    func wantsCredential(method: String, target: String) {
        let test = TestAPI()
        #expect(test.call(method, target, body, key: nil).status == 401)
        #expect(test.repository.calls.isEmpty)
    }

    @Test("takes the key as bearer token too", arguments: ["Bearer", "bearer", "BEARER"])
    func bearer(scheme: String) {
        let headers = ["authorization": "\(scheme) \(TestKey.text)"]
        #expect(TestAPI().call("POST", "/api/execute", body, headers: headers, key: nil).status == 200)
        let others = ["authorization": "Basic \(TestKey.text)"]
        #expect(TestAPI().call("POST", "/api/execute", body, headers: others, key: nil).status == 401)
        let jwt = ["authorization": "Bearer eyJhbGciOiJub25lIn0.e30."]
        #expect(TestAPI().call("POST", "/api/execute", body, headers: jwt, key: nil).status == 401)
    }

    @Test("a key without the permission may not execute")
    func forbidden() {
        let test = TestAPI(repository: FakeRepository(permissions: [.monitorRead]))
        for (method, target) in [("POST", "/api/execute"), ("GET", "/api/execute/x"), ("DELETE", "/api/execute/x")] {
            let response = test.call(method, target, body)
            #expect(response.status == 403)
            #expect(response.json["error"]?["code"] == "INSUFFICIENT_PERMISSIONS")
        }
        #expect(test.call("GET", "/api/languages").status == 200)
    }

    @Test("tells nobody else what is wrong with a request")
    func hidesValidation() {
        let wrong: JSONValue = ["language": "cobol"]
        let stranger = TestKey.text.replacing("a", with: "b")
        #expect(TestAPI().call("POST", "/api/execute", wrong, key: stranger).status == 401)
        #expect(TestAPI(repository: FakeRepository(permissions: [])).call("POST", "/api/execute", wrong).status == 403)
    }

    @Test("reads a large body for known callers only")
    func largeBody() {
        let test = TestAPI()
        let large = [UInt8](repeating: 0x20, count: 300 << 10)
        let stranger = TestKey.text.replacing("a", with: "b")
        #expect(test.call("POST", "/api/execute", bytes: large, key: stranger, failure: .broken).status == 401)
        #expect(test.repository.calls == ["authenticate"])
    }
}
