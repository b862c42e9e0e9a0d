internal import LinuxKernel
internal import SoulBoxModel

/// How many packets of each policy were refused, as the packet filter counts them.
struct RefusalCounts {
    let table: String

    /// By mark. To ask costs a process.
    func current() -> [UInt32: Int64] {
        RefusalCounts.read((try? PacketFilter.list(set: "refused", of: table)) ?? "")
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
