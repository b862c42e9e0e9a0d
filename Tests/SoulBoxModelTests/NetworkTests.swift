import Testing

@testable import SoulBoxModel

@Suite("Allowed hosts")
struct NetworkTests {
    @Test(
        "names, wildcards, addresses and networks have one spelling",
        arguments: [
            ("api.example.com", "api.example.com"), ("API.Example.COM.", "api.example.com"),
            ("*.example.com:443", "*.example.com:443"), ("192.0.2.1", "192.0.2.1"), ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.1:80", "192.0.2.1:80"), ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("2001:db8::/32", "2001:db8::/32"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"), ("255.255.255.255/32", "255.255.255.255"),
            ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ])
    func spelling(text: String, shown: String) {
        #expect(AllowedHost(text)?.description == shown)
        #expect(AllowedHost(shown)?.description == shown)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", ".", "*", "*.", "a..b", "-a.com", "a-.com", "exa mple.com", "*.*.com", "a.*.com", "1.2.3", "0x7f.1",
            "2130706433", "1.2.3.4.5", "1.2.3.4/33", "1.2.3.4/-1", "::1/129", "example.com:0", "example.com:65536",
            "example.com:", "[example.com]:80", "münchen.de", "a/b", "http://a.com", "::ffff:0:0/64",
        ])
    func refused(text: String) { #expect(AllowedHost(text) == nil) }

    @Test("82: a network holds exactly its addresses, at the edges too")
    func contains() throws {
        for prefix in 0...32 {
            for address: [UInt8] in [
                [0, 0, 0, 0], [127, 255, 255, 255], [128, 0, 0, 0], [255, 255, 255, 255], [200, 1, 2, 3],
            ] {
                let range = AddressRange(bytes: address, prefix: prefix)
                func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
                let size = UInt64(1) << UInt64(32 - prefix)
                let first = number(address) / size * size
                func bytes(_ number: UInt64) -> [UInt8] {
                    (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt64(24 - 8 * $0)) }
                }
                #expect(number(range.bytes) == first)
                #expect(range.contains(bytes(first)) && range.contains(bytes(first + size - 1)))
                if first > 0 { #expect(!range.contains(bytes(first - 1))) }
                if first + size <= UInt64(UInt32.max) { #expect(!range.contains(bytes(first + size))) }
            }
        }
    }
}
