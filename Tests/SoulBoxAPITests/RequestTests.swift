import SoulBoxModel
import Testing
@testable import SoulBoxAPI

@Suite("Requests")
struct RequestTests {
    @Test("echoes good request identifiers", arguments: ["req_1", "A-b_9", String(repeating: "x", count: 64)])
    func keepsIdentifier(id: String) { #expect(RequestID.accept(id) == id) }

    @Test("replaces others", arguments: ["", "a b", "a\r\nb", "é", "a.b", String(repeating: "x", count: 65)])
    func replacesIdentifier(id: String) {
        let request = HTTPRequest(method: "GET", target: "/", requestID: id, body: MemoryBody([])) { _ in nil }
        #expect(request.requestID.wholeMatch(of: /req_[0-9a-f]{32}/) != nil)
    }

    @Test("every answer carries the identifier, also an error", arguments: ["/api/health", "/api/none"])
    func answersCarryIdentifier(target: String) {
        let response = TestAPI().call("GET", target)
        #expect(response.header("x-request-id") == "req_test")
        #expect(response.headers.count { $0.name == "X-Request-ID" } == 1)
    }

    @Test(
        "types of files",
        arguments: [
            ("a.txt", "text/plain; charset=utf-8"), ("d.x/a.PNG", "image/png"), ("a", "application/octet-stream"),
            ("a.csv.unknown", "application/octet-stream"), ("d.txt/a", "application/octet-stream"),
        ])
    func contentTypes(path: String, type: String) { #expect(ContentType.of(path) == type) }

    @Test("finds conflicts among file names")
    func conflicts() {
        #expect(FileName.conflicts(["a", "b/c", "b/d"]).isEmpty)
        #expect(FileName.conflicts(["a", "a"]).map(\.index) == [1])
        #expect(FileName.conflicts(["a/b/c", "x", "a/b"]).map(\.index) == [0])
        #expect(FileName.conflicts(["ab/c", "a"]).isEmpty)
    }
}
