internal import SoulBoxModel

/// Networks as spans of addresses that neither overlap nor touch: what a set of the packet filter takes.
struct AddressSpans: Equatable {
    /// From, up to and including.
    private(set) var spans: [ClosedRange<UInt32>] = []

    /// The spans of these networks; those of IPv6 are left out.
    init(_ networks: [AddressRange]) {
        let ranges = networks.filter { !$0.isVersion6 }.map { network -> ClosedRange<UInt32> in
            let first = network.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let size = network.prefix == 0 ? UInt32.max : UInt32(1) << UInt32(32 - network.prefix) &- 1
            return first...(first | size)
        }
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            // The successor of the last address of all would be the first.
            if let last = spans.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                spans[spans.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                spans.append(range)
            }
        }
    }

    /// As nft(8) takes them, one address as a span too: nft 1.0.6 does not find an element of points alone to delete it.
    var texts: [String] {
        spans.map { "\(AddressSpans.text($0.lowerBound))-\(AddressSpans.text($0.upperBound))" }
    }

    /// Whether an address lies in one of them.
    func contains(_ address: UInt32) -> Bool { spans.contains { $0.contains(address) } }

    private static func text(_ address: UInt32) -> String {
        (0..<4).map { String(address >> UInt32(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
    }
}
