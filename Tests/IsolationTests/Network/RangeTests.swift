import Testing

@testable import Isolation
@testable import SoulBoxModel

@Suite("Network: spans of addresses")
struct RangeTests {
    private static let tables: [[String]] = [
        ["128.0.0.0/1", "200.0.0.0/8"], ["0.0.0.0/0"], ["255.255.255.255/32"], ["0.0.0.0/32", "255.255.255.255"],
        ["255.255.255.254/31", "255.255.255.255"], ["10.0.0.0/8", "10.0.0.0/9", "11.0.0.0/8"],
        ["192.0.2.0/25", "192.0.2.128/25"], ["192.0.2.0/24", "192.0.4.0/24"], ["0.0.0.0/1", "128.0.0.0/1"], [],
        ["1.2.3.4", "1.2.3.4", "1.2.3.5"], ["2001:db8::/32", "1.2.3.4"],
    ]

    @Test("82: spans hold exactly the addresses of their networks, and neither overlap nor touch", arguments: tables)
    func model(texts: [String]) throws {
        let networks = try texts.map { try #require(AddressRange($0)) }
        let spans = AddressSpans(networks)
        var edges: Set<UInt32> = [0, 1, .max, .max - 1, 0x8000_0000, 0x7FFF_FFFF]
        for network in networks where !network.isVersion6 {
            let first = network.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let last =
                first | (network.prefix == 0 ? .max : network.prefix == 32 ? 0 : UInt32.max >> UInt32(network.prefix))
            edges.formUnion([first, last, first &- 1, last &+ 1])
        }
        for address in edges {
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32(24 - 8 * $0)) }
            #expect(spans.contains(address) == networks.contains { $0.contains(bytes) }, "\(bytes) in \(texts)")
        }
        for (left, right) in zip(spans.spans, spans.spans.dropFirst()) {
            #expect(left.upperBound < right.lowerBound && left.upperBound + 1 < right.lowerBound)
        }
    }

    @Test("82: random networks agree with the model")
    func random() {
        var seed: UInt64 = 7
        func next() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 33
        }
        for _ in 0..<500 {
            let networks = (0..<Int(next() % 12)).map { _ in
                // Few bits, so that they meet often.
                AddressRange(
                    bytes: [UInt8(next() % 4) * 85, UInt8(next() % 2) * 255, 0, UInt8(next() % 3)],
                    prefix: [0, 1, 2, 8, 9, 16, 24, 31, 32][Int(next() % 9)])
            }
            let spans = AddressSpans(networks)
            for _ in 0..<50 {
                let bytes = [UInt8(next() % 4) * 85, UInt8(next() % 2) * 255, UInt8(next() % 2), UInt8(next() % 4)]
                let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                #expect(spans.contains(address) == networks.contains { $0.contains(bytes) })
            }
        }
    }

    @Test("77: what is never reached covers the reserved networks")
    func reserved() throws {
        let spans = AddressSpans(AddressRange.neverReachable)
        for text in [
            "169.254.169.254", "100.100.100.200", "10.0.0.1", "172.31.255.255", "192.168.255.255", "127.0.0.1",
            "0.0.0.0", "192.0.0.170", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        ] {
            let address = try #require(AddressRange(text)).bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(spans.contains(address), "\(text)")
        }
        for text in [
            "1.1.1.1", "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "11.0.0.0",
        ] {
            let address = try #require(AddressRange(text)).bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(!spans.contains(address), "\(text)")
        }
    }
}
