import Testing

@testable import SoulBoxModel

@Suite("Webhooks")
struct WebhookTests {
    @Test(
        "URLs are read in one way",
        arguments: [
            ("https://hooks.example.com/a/b?c=d&e", "https://hooks.example.com/a/b?c=d&e"),
            ("HTTPS://Hooks.Example.COM", "https://hooks.example.com/"),
            ("http://x.test:8080?q", "http://x.test:8080/?q"),
            ("http://x.test:80/", "http://x.test/"), ("https://x.test:443", "https://x.test/"),
            ("http://192.0.2.1:9/x", "http://192.0.2.1:9/x"), ("http://[2001:DB8::1]:9/x", "http://[2001:db8::1]:9/x"),
            ("http://[::ffff:127.0.0.1]/", "http://127.0.0.1/"), ("http://x.test/%00", "http://x.test/%00"),
        ])
    func urls(text: String, shown: String) throws {
        #expect(try WebhookURL(text).description == shown)
        #expect(try WebhookURL(shown).description == shown)
    }

    @Test(
        "what two readers could take for different places is refused",
        arguments: [
            "", "x", "ftp://x.test/", "file:///etc/passwd", "gopher://x.test/", "//x.test/", "http:/x.test", "http://",
            "http:///x", "http://user@x.test/", "http://user:pass@x.test/", "http://x.test@127.0.0.1/",
            "http://x.test\\@127.0.0.1/", "http://x.test#@127.0.0.1/", "http://x.test/#f", "http://x.test:0/",
            "http://x.test:65536/", "http://x.test:80:80/", "http://x.test: 80/", "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/", "http://x.0x7f/", "http://127.1/", "http://0177.0.0.1/", "http://::1/",
            "http://[::1/", "http://[::1%25lo]/", "http://192.0.2.0/24:80", "http://*.x.test/", "http://x..test/",
            "http://münchen.de/", "http://x.test/ä", "http://x.test/\"", "http://x.test/a b", "http://x.test/\n",
            "http://x.test/\u{0}", "http://x.test/" + String(repeating: "a", count: 2000),
        ])
    func refused(text: String) {
        // The one that is a path and not a network: `192.0.2.0` and `/24:80`.
        if text == "http://192.0.2.0/24:80" {
            #expect((try? WebhookURL(text))?.target == "/24:80")
        } else {
            #expect(throws: WebhookURL.Problem.self, "\(text)") { try WebhookURL(text) }
        }
    }

    @Test(
        "no address within, of neither version, is public",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "169.254.169.254",
            "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
            "::", "::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "fe80::1", "fc00::1", "fd00:ec2::254",
            "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:a9fe:a9fe::1", "3fff::1", "100::1", "5f00::1",
        ])
    func isPrivate(text: String) throws {
        let address = try #require(AddressRange(text)?.address)
        #expect(!AddressRange.isPublic(address) && !WebhookPolicy().allows(address))
        #expect(WebhookPolicy(allowed: [AddressRange(bytes: address, prefix: address.count * 8)]).allows(address))
    }

    @Test(
        "addresses of the world are",
        arguments: [
            "1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "2001:4860::1",
        ])
    func isPublic(text: String) throws {
        #expect(AddressRange.isPublic(try #require(AddressRange(text)?.address)))
    }

    @Test("an IPv4 address in IPv6's clothes is the IPv4 address")
    func mapped() {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1]
        #expect(!WebhookPolicy().allows(mapped))
        #expect(WebhookPolicy(allowed: [AddressRange(bytes: [127, 0, 0, 0], prefix: 8)]).allows(mapped))
    }

    @Test(
        "lengths of time",
        arguments: [("0s", 0), ("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604_800), ("90m", 5400), ("61s", 61)])
    func times(text: String, seconds: Int64) {
        #expect(TimeSpan.parse(text) == seconds)
        #expect(TimeSpan.parse(TimeSpan.text(seconds)) == seconds)
    }

    @Test(
        "what is none", arguments: ["", "s", "5", "-1s", "1.5h", " 1s", "1 s", "1w", "1M", "99999999999s", "١s", "+1s"])
    func noTimes(text: String) { #expect(TimeSpan.parse(text) == nil) }

    @Test("are written in the largest unit that fits")
    func spelling() {
        #expect([0, 59, 60, 5400, 7200, 86_400].map(TimeSpan.text) == ["0s", "59s", "1m", "90m", "2h", "1d"])
    }
}
