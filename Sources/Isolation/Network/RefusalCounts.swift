internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// How many packets of each policy were refused, as the packet filter counts them.
final class RefusalCounts: Sendable {
    private static let freshNanoseconds: UInt64 = 1_000_000_000

    private let table: String
    private let known = Mutex<(at: UInt64, counts: [UInt32: Int64])?>(nil)

    init(table: String) { self.table = table }

    /// By mark, at most a second old: to ask costs a process.
    func recent() -> [UInt32: Int64] {
        let now = MonotonicClock.now
        if let known = known.withLock({ $0 }), now < known.at + RefusalCounts.freshNanoseconds { return known.counts }
        return fresh()
    }

    /// By mark, as of now.
    func fresh() -> [UInt32: Int64] {
        let text = (try? PacketFilter.run("list set inet \(table) refused\n", asJSON: true)) ?? ""
        let counts = RefusalCounts.read(text)
        known.withLock { $0 = (MonotonicClock.now, counts) }
        return counts
    }

    /// Reads libnftables-json(5).
    static func read(_ text: String) -> [UInt32: Int64] {
        guard let json = try? JSONParser.parse(Array(text.utf8)) else { return [:] }
        var counts: [UInt32: Int64] = [:]
        for object in json["nftables"]?.arrayValue ?? [] {
            for item in object["set"]?["elem"]?.arrayValue ?? [] {
                guard let element = item["elem"],
                    let mark = element["val"]?.integerValue.flatMap(UInt32.init(exactly:)),
                    let packets = element["counter"]?["packets"]?.integerValue
                else { continue }
                counts[mark] = packets
            }
        }
        return counts
    }
}
