import Foundation
import SoulBoxKeys
import SoulBoxService
import Testing
import Yams

@testable import SoulBoxCommands

@Suite("Instances and configuration")
struct InstanceTests {
    @Test("the name comes from the home directory, however it is written")
    func name() {
        let instance = Instance(home: "/srv/a")
        #expect(instance.name.count == 8 && instance.name == Instance(home: "/srv/b/../a/").name)
        #expect(instance.name != Instance(home: "/srv/b").name)
        // unix(7): 107 bytes for a socket's path.
        #expect((instance.run + "/postgres/.s.PGSQL.5432.lock").utf8.count < 107)
    }

    @Test("a file sets what it names, and an unknown key is an error")
    func file() throws {
        let decoder = YAMLDecoder()
        let read = try decoder.decode(
            OperatorConfiguration.self, from: "http:\n  port: 9000\nexecutions:\n  concurrent: 3\n")
        #expect(read.http.port == 9000 && read.http.tlsPort == 8443 && read.executions.concurrent == 3)
        #expect(throws: (any Error).self) { try decoder.decode(OperatorConfiguration.self, from: "htp:\n  port: 1\n") }
        #expect(throws: (any Error).self) { try decoder.decode(OperatorConfiguration.self, from: "http:\n  prot: 1\n") }
    }

    @Test("only addresses may read metrics without a key, and nothing else gets into nginx's configuration")
    func metricsAllow() throws {
        let decoder = YAMLDecoder()
        let read = try decoder.decode(
            OperatorConfiguration.self, from: "http:\n  metrics_allow: [10.1.2.3, 10.0.0.0/8, \"fd00::/8\"]\n")
        #expect(read.http.metricsAllow.count == 3 && read.http.metricsAllow.allSatisfy { !$0.contains(";") })
        for text in ["example.com", "10.0.0.0/33", "0.0.0.0/0 1; include /etc/passwd", ""] {
            #expect(throws: (any Error).self) {
                try decoder.decode(OperatorConfiguration.self, from: "http:\n  metrics_allow: [\"\(text)\"]\n")
            }
        }
    }

    @Test("the resolved configuration reads back")
    func resolved() throws {
        let account = ServiceAccount(user: 7, group: 8)
        let resolved = OperatorConfiguration().resolve(Instance(home: "/srv/a"), account: account)
        #expect(try ServiceConfiguration(json: resolved.json) == resolved)
    }

    @Test("a key has the shape that the API reads, and no two are the same")
    func key() {
        let first = APIKey()
        #expect(first.text.wholeMatch(of: /sb_live_[0-9a-z]{26}_[A-Za-z0-9_-]{43}/) != nil)
        #expect(first.text != APIKey().text)
        #expect(APIKey(first.text)?.credential == first.credential)
    }

    @Test("nginx's own errors have the envelope, each with its status")
    func errorPages() {
        for status in [400, 404, 405, 413, 429, 503, 504] {
            #expect(NginxErrorPages.text.contains("location = /_soulbox/\(status) {"))
            #expect(NginxErrorPages.text.contains("return \(status) '{\"error\":{\"code\":"))
        }
    }
}
