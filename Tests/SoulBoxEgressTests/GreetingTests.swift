import IsolationProtocol
import SoulBoxModel
import Testing

@testable import SoulBoxEgress

@Suite("Egress: whom a connection is for")
struct GreetingTests {
    /// A greeting of TLS 1.3 with these names, in records of at most that size.
    private static func greeting(_ names: [String], extensions: [[UInt8]] = [], record: Int = 16_000) -> [UInt8] {
        func counted(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
        let list: [UInt8] = names.flatMap { (name: String) -> [UInt8] in [0] + counted(Array(name.utf8)) }
        var all: [[UInt8]] = [[0, 43] + counted([2, 3, 4])] + extensions
        if !names.isEmpty { all.append([0, 0] + counted(counted(list))) }
        let body: [UInt8] =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [32] + [UInt8](repeating: 9, count: 32) + counted([0x13, 1])
            + [1, 0] + counted(Array(all.joined()))
        var handshake: [UInt8] = [1, 0] + counted(body)
        var bytes: [UInt8] = []
        while !handshake.isEmpty {
            let part = Array(handshake.prefix(record))
            bytes += [22, 3, 1] + counted(part)
            handshake.removeFirst(part.count)
        }
        return bytes
    }

    @Test(
        "the name of a greeting is found, however it is cut into records and packets", arguments: [16_000, 100, 7, 1])
    func pieces(record: Int) {
        let bytes = GreetingTests.greeting(["Good.Test"], record: record)
        for count in 0..<bytes.count { #expect(ServerName.find(in: Array(bytes.prefix(count))) == .incomplete) }
        #expect(ServerName.find(in: bytes) == .found("good.test"))
        #expect(ServerName.find(in: bytes + [23, 3, 3, 0, 1, 0]) == .found("good.test"))
    }

    @Test("87: no name, several, an address or no greeting at all is none")
    func none() {
        #expect(ServerName.find(in: GreetingTests.greeting([])) == .none)
        #expect(ServerName.find(in: GreetingTests.greeting(["a.test", "b.test"])) == .none)
        #expect(ServerName.find(in: GreetingTests.greeting(["1.2.3.4"])) == .none)
        #expect(ServerName.find(in: GreetingTests.greeting(["a.test\0.evil.test"])) == .none)
        #expect(ServerName.find(in: GreetingTests.greeting([""])) == .none)
        let twice: [UInt8] = [0, 0, 0, 11, 0, 9, 0, 0, 6] + Array("b.test".utf8)
        #expect(ServerName.find(in: GreetingTests.greeting(["a.test"], extensions: [twice])) == .none)
        #expect(ServerName.find(in: Array("GET / HTTP/1.1\r\n\r\n".utf8)) == .none)
        #expect(ServerName.find(in: [22, 3, 1, 0, 0]) == .none)
    }

    @Test(
        "the host of a request is found, and what can be read in two ways is refused",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: Good.Test\r\n\r\n", "good.test"),
            ("GET / HTTP/1.1\r\nhost:good.test:80\r\nA: b\r\n\r\nbody", "good.test"),
            ("GET http://good.test/x HTTP/1.1\r\nHost: good.test\r\n\r\n", "good.test"),
            ("GET / HTTP/1.1\r\nHost: good.test.\r\n\r\n", "good.test"),
            ("GET http://evil.test/x HTTP/1.1\r\nHost: good.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test\r\nHost: evil.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test\r\n evil.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost : good.test\r\n\r\n", ""), ("GET / HTTP/1.1\r\nA: b\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test\nHost: evil.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test@evil.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test/evil.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n", ""),
            ("CONNECT good.test:443 HTTP/1.1\r\nHost: good.test\r\n\r\n", ""),
            ("GET / HTTP/2\r\nHost: good.test\r\n\r\n", ""), ("GET /\u{0} HTTP/1.1\r\nHost: good.test\r\n\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: good.test, evil.test\r\n\r\n", ""), ("\r\n\r\n", ""),
        ])
    func hosts(request: String, host: String) {
        let bytes = Array(request.utf8)
        #expect(RequestHost.find(in: bytes) == (host.isEmpty ? .none : .found(host)), "\(request)")
    }

    @Test(
        "83: names match whole labels only",
        arguments: [
            ("example.com", true), ("EXAMPLE.com.", true), ("notexample.com", false), ("example.com.evil", false),
            ("", false), ("a.example.com", false), ("a.wild.test", true), ("a.b.wild.test", true), ("wild.test", false),
            (".wild.test", false), ("awild.test", false), ("com", false),
        ])
    func matching(name: String, isAllowed: Bool) throws {
        let names = try ["example.com", "*.wild.test"].map { try #require(AllowedHost($0)) }
        let policy = EgressPolicy(sandbox: "s", address: "198.18.0.1", generation: 1, everything: false, names: names)
        let normal = HostName.normal(name)
        #expect((normal.map { policy.ports(for: $0) != nil } ?? false) == isAllowed)
    }

    @Test("no bytes bring the readers down")
    func noise() {
        var random = Noise(seed: 2)
        let greeting = GreetingTests.greeting(["good.test"], record: 50)
        let request = Array("GET http://good.test/x HTTP/1.1\r\nHost: good.test\r\n\r\n".utf8)
        var found = 0
        for _ in 0..<20_000 {
            if case .found = ServerName.find(in: random.mutate(greeting)) { found += 1 }
            if case .found = RequestHost.find(in: random.mutate(request)) { found += 1 }
        }
        #expect(found > 100)
    }
}
