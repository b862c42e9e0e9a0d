/// Reads the parts of a message of the domain name system (RFC 1035, section 4). Nothing is read beyond its end.
struct NameReader {
    /// The bytes are no such message.
    struct Malformed: Error {}

    /// RFC 1035, section 2.3.4, counts the length bytes.
    private static let maximumName = 255
    private static let maximumJumps = 16

    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The next two bytes as a number.
    mutating func number16() throws(Malformed) -> UInt16 {
        guard position + 2 <= bytes.count else { throw Malformed() }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// The next four bytes as a number.
    mutating func number32() throws(Malformed) -> UInt32 {
        let high = try number16()
        return UInt32(high) << 16 | UInt32(try number16())
    }

    /// The next bytes.
    mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count >= 0, position + count <= bytes.count else { throw Malformed() }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    /// The next name, in lower case and without a final dot; empty is the root.
    ///
    /// Pointers (section 4.1.4) only lead backwards, so that none leads in a circle. A label with a dot in it, or with a
    /// byte that no host name has, is written with a question mark: it can then equal nothing that is allowed.
    mutating func name() throws(Malformed) -> String {
        var labels: [String] = []
        var length = 1
        var place = position
        var end: Int?
        var jumps = 0
        while true {
            guard place < bytes.count else { throw Malformed() }
            let count = Int(bytes[place])
            switch count & 0xC0 {
            case 0xC0:
                guard place + 1 < bytes.count else { throw Malformed() }
                let target = (count & 0x3F) << 8 | Int(bytes[place + 1])
                jumps += 1
                guard target < place, jumps <= NameReader.maximumJumps else { throw Malformed() }
                end = end ?? place + 2
                place = target
            case 0:
                place += 1
                guard count > 0 else {
                    position = end ?? place
                    return labels.joined(separator: ".")
                }
                length += count + 1
                guard place + count <= bytes.count, length <= NameReader.maximumName else { throw Malformed() }
                labels.append(NameReader.text(bytes[place..<(place + count)]))
                place += count
            default: throw Malformed()
            }
        }
    }

    private static func text(_ label: ArraySlice<UInt8>) -> String {
        String(
            decoding: label.map { byte -> UInt8 in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    byte
                default: UInt8(ascii: "?")
                }
            }, as: UTF8.self)
    }
}
