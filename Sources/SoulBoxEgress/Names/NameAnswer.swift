/// What a server of names says (RFC 1035, section 4).
struct NameAnswer: Sendable, Equatable {
    /// How it went.
    let code: UInt8
    /// Whether it did not fit.
    let isTruncated: Bool
    /// The addresses of the name that was asked for, aliases followed.
    let addresses: [[UInt8]]
    /// How long they hold, in seconds.
    let ttl: UInt32
    /// The whole message.
    let bytes: [UInt8]

    private static let maximumRecords = 256
    private static let maximumAliases = 16

    /// Reads an answer to a question under that number; nil when it is none.
    init?(_ bytes: [UInt8], to question: NameQuestion, identifier: UInt16) {
        guard bytes.count >= NameQuestion.headerBytes, bytes[2] & 0xF8 == 0x80,
            UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == identifier
        else { return nil }
        code = bytes[3] & 0x0F
        isTruncated = bytes[2] & 2 != 0
        self.bytes = bytes
        var aliases: [String: (target: String, ttl: UInt32)] = [:]
        var found: [String: [(address: [UInt8], ttl: UInt32)]] = [:]
        do throws(NameReader.Malformed) {
            var reader = NameReader(bytes, at: 4)
            let (questions, records) = (try reader.number16(), Int(try reader.number16()))
            _ = try reader.number32()
            guard questions == 1, try reader.name() == question.name, try reader.number16() == question.type,
                try reader.number16() == 1
            else { return nil }
            if !isTruncated {
                for _ in 0..<min(records, NameAnswer.maximumRecords) {
                    let owner = try reader.name()
                    let (type, kind, ttl) = (try reader.number16(), try reader.number16(), try reader.number32())
                    let length = Int(try reader.number16())
                    let start = reader.position
                    let data = try reader.take(length)
                    guard kind == 1 else { continue }
                    if type == NameQuestion.RecordType.address, length == 4 {
                        found[owner, default: []].append((Array(data), ttl))
                    } else if type == NameQuestion.RecordType.alias {
                        var inner = NameReader(bytes, at: start)
                        aliases[owner] = (try inner.name(), ttl)
                    }
                }
            }
        } catch {
            return nil
        }
        var name = question.name
        var shortest = UInt32.max
        for _ in 0..<NameAnswer.maximumAliases {
            guard let alias = aliases[name] else { break }
            shortest = min(shortest, alias.ttl)
            name = alias.target
        }
        let records = found[name] ?? []
        addresses = records.map(\.address)
        ttl = records.reduce(shortest) { min($0, $1.ttl) }
    }
}
