import SoulBoxModel
import Testing
@testable import SoulBoxAPI

@Suite("Router")
struct RouterTests {
    private func answer(_ method: String, _ target: String) -> (status: Int, body: String, allow: String?) {
        let router = Router([
            Route("GET", "/api/things/{id}", .open) { call throws(APIError) in
                HTTPResponse(status: 200, body: Array("thing \(call.parameter("id"))".utf8))
            },
            Route("DELETE", "/api/things/{id}", .open) { _ throws(APIError) in HTTPResponse(status: 204) },
            Route("GET", "/api/things/{id}/files/{path...}", .open) { call throws(APIError) in
                HTTPResponse(status: 200, body: Array("\(call.parameter("id")) \(call.parameter("path"))".utf8))
            },
            Route("POST", "/api/things", .open) { _ throws(APIError) in HTTPResponse(status: 201) },
        ])
        let request = HTTPRequest(method: method, target: target, body: MemoryBody([])) { _ in nil }
        do {
            let response = try router.respond(to: request)
            return (response.status, String(decoding: response.body, as: UTF8.self), nil)
        } catch {
            return (error.status, error.message, error.headers.first { $0.name == "Allow" }?.value)
        }
    }

    @Test(
        "finds routes and their parameters",
        arguments: [
            ("/api/things/a", "thing a"), ("/api/things/a?b=/c", "thing a"), ("/api/things/%61%2Fb", "thing a/b"),
            ("/api/things/%2561", "thing %61"), ("/api/things/%C3%A9", "thing é"), ("/api/things/a+b", "thing a+b"),
            ("http://host/api/things/a", "thing a"), ("https://host:1/api/things/a?x", "thing a"),
            ("/api/things/a/files/b", "a b"), ("/api/things/a/files/b/c%20d.txt", "a b/c d.txt"),
        ])
    func finds(target: String, body: String) {
        let answer = answer("GET", target)
        #expect(answer.status == 200)
        #expect(answer.body == body)
    }

    @Test(
        "knows no other path",
        arguments: [
            "/", "", "/api", "/api/things/a/", "//api/things/a", "/api//things/a", "/api/things/a/b", "/API/things/a",
            "/api/things/a/files", "/api/things/a/files/", "/api/things/a/files/b//c", "/api/things/a/files/b%2Fc",
            "/api/things/../things/a", "*", "http://host",
        ])
    func unknown(target: String) { #expect(answer("GET", target).status == 404) }

    @Test(
        "refuses paths that cannot be decoded", arguments: ["/api/%", "/api/%4", "/api/%zz", "/api/%FF", "/api/a%00b"])
    func undecodable(target: String) { #expect(answer("GET", target).status == 400) }

    @Test("names the methods of a known path")
    func methods() {
        #expect(answer("PUT", "/api/things/a").status == 405)
        #expect(answer("PUT", "/api/things/a").allow == "DELETE, GET, HEAD")
        #expect(answer("GET", "/api/things").allow == "POST")
        #expect(answer("get", "/api/things/a").status == 405)
        #expect(answer("HEAD", "/api/things/a").status == 200)
        #expect(answer("DELETE", "/api/things/a").status == 204)
    }
}
