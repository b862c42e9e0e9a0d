import SoulBoxKeys
import SoulBoxModel
import SoulBoxStore
import Testing

@testable import SoulBoxScheduler

@Suite("Webhooks on their way")
struct WebhookAttemptTests {
    private func attempt(_ allowed: [String] = []) -> WebhookAttempt {
        WebhookAttempt(
            policy: WebhookPolicy(allowed: allowed.compactMap(AddressRange.init)),
            seal: WebhookSeal(key: [UInt8](repeating: 1, count: 32)), version: "1")
    }

    @Test("a name that leads to this machine leads nowhere, unless the operator says so")
    func names() throws {
        let url = try WebhookURL("http://localhost:8080/x")
        guard case .failure(let problem) = attempt().reach(url) else {
            Issue.record("localhost was reached")
            return
        }
        #expect(problem.reason == "the host's address is private or this machine's own")
        #expect(try attempt(["127.0.0.0/8", "::1"]).reach(url).get().isEmpty == false)
        #expect(try attempt(["127.0.0.1"]).reach(WebhookURL("http://127.0.0.1/")).get() == [[127, 0, 0, 1]])
        #expect(throws: WebhookURL.Problem.self) { try attempt().reach(WebhookURL("http://[::1]/")).get() }
        #expect(throws: WebhookURL.Problem.self) { try attempt(["127.0.0.1"]).reach(WebhookURL("http://[::1]/")).get() }
        #expect(throws: WebhookURL.Problem.self) { try attempt().reach(WebhookURL("http://no-such.invalid/")).get() }
        #expect(try attempt().reach(WebhookURL("http://192.0.2.1/")).get() == [[192, 0, 2, 1]])
    }

    @Test("what is sent is quoted, and goes to the address that was checked")
    func configuration() throws {
        let request = CurlRequest(
            url: try WebhookURL("https://Hooks.example.com/a?b=c"), address: [192, 0, 2, 1],
            headers: [("X-A", "b")], body: #"{"a":"\"\\ @é"}"#)
        let lines = request.configuration.split(separator: "\n")
        #expect(lines.contains(#"url = "https://hooks.example.com/a?b=c""#))
        #expect(lines.contains(#"connect-to = "::192.0.2.1:443""#))
        #expect(lines.contains(#"header = "X-A: b""#))
        #expect(lines.contains(#"data-raw = "{\"a\":\"\\\"\\\\ @é\"}""#))
        #expect(lines.contains(#"noproxy = "*""#) && lines.contains(#"proto = "=http,https""#))
        let address = [UInt8]([0x20, 0x01, 0x0D, 0xB8]) + [UInt8](repeating: 0, count: 11) + [1]
        let other = CurlRequest(url: try WebhookURL("http://x.test/"), address: address, headers: [], body: "")
        #expect(other.configuration.contains(#"connect-to = "::[2001:db8::1]:80""#))
    }

    @Test("only a status of success counts as taken, however its body ends")
    func outcomes() {
        func isTaken(_ status: Int?, _ code: Int) -> Bool { CurlRequest.Outcome(status: status, code: code).isTaken }
        #expect(isTaken(200, 0) && isTaken(204, 0) && isTaken(200, 28) && isTaken(200, 63))
        #expect(!isTaken(302, 0) && !isTaken(500, 0) && !isTaken(nil, 28) && !isTaken(200, 56) && !isTaken(199, 0))
    }

    @Test("pauses grow fourfold, each by chance within its half, for about three hours in all")
    func pauses() {
        var longest: Int64 = 0
        for attempt in Int64(1)...7 {
            let whole = Int64(2000) << (2 * (attempt - 1))
            let seen = Set((0..<200).map { _ in WebhookSender.pause(after: attempt) })
            #expect(seen.allSatisfy { (whole / 2...whole).contains($0) } && seen.count > 20)
            longest += whole
        }
        #expect((2 * 3_600_000...4 * 3_600_000).contains(longest))
    }

    @Test("a sealed secret opens with its key and for its rule alone")
    func seal() throws {
        let seal = WebhookSeal(key: [UInt8](repeating: 1, count: 32))
        let rule = Identifier.makeUUID()
        let sealed = try seal.seal("0123456789abcdef", rule: rule)
        #expect(try seal.open(sealed, rule: rule) == Array("0123456789abcdef".utf8))
        #expect(throws: (any Error).self) { try seal.open(sealed, rule: Identifier.makeUUID()) }
        #expect(throws: (any Error).self) {
            try WebhookSeal(key: [UInt8](repeating: 2, count: 32)).open(sealed, rule: rule)
        }
        #expect(try seal.seal("0123456789abcdef", rule: rule) != sealed)
    }

    @Test("the signature is HMAC-SHA256 over time and body")
    func signature() {
        // By `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key`.
        #expect(
            WebhookSignature.header(secret: Array("key".utf8), at: 1_700_000_000, body: Array(#"{"a":1}"#.utf8))
                == "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03")
    }
}
