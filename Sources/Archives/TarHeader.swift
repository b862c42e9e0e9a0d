/// The fields of a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
struct TarHeader {
    let path: String
    let mode: Int
    let size: Int64
    let modified: Int64
    let type: UInt8
    let link: String

    init(_ block: [UInt8]) throws {
        let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(block[$1])) }
        guard try TarHeader.number(block[148..<156]) == Int64(sum) else {
            throw ArchiveError("the archive is not tar, or is damaged")
        }
        let isPOSIX = block[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? try TarHeader.text(block[345..<500]) : ""
        let name = try TarHeader.text(block[0..<100])
        path = prefix.isEmpty ? name : "\(prefix)/\(name)"
        mode = Int(try TarHeader.number(block[100..<108]))
        size = try TarHeader.number(block[124..<136])
        modified = try TarHeader.number(block[136..<148])
        type = block[156]
        link = try TarHeader.text(block[157..<257])
        guard size >= 0 else { throw ArchiveError("a size is negative") }
    }

    /// The block of an entry.
    static func block(path: [UInt8], mode: Int, size: Int64, modified: Int64, type: UInt8, link: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, _ offset: Int, _ limit: Int) {
            for (index, byte) in bytes.prefix(limit).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int64, _ digits: Int) -> [UInt8] {
            let text = String(max(0, value), radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        put(path, 0, 100)
        put(octal(Int64(mode), 7), 100, 7)
        put(octal(1000, 7), 108, 7)
        put(octal(1000, 7), 116, 7)
        put(octal(min(size, 0o77777777777), 11), 124, 11)
        put(octal(min(modified, 0o77777777777), 11), 136, 11)
        put([UInt8](repeating: 32, count: 8), 148, 8)
        block[156] = type
        put(link, 157, 100)
        put(Array("ustar\u{0}00".utf8), 257, 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(Int64(sum), 6) + [0, 32], 148, 8)
        return block
    }

    private static func text(_ field: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: field.prefix { $0 != 0 }, as: UTF8.self) else {
            throw ArchiveError("a name is not UTF-8")
        }
        return text
    }

    /// Octal digits, or GNU's base-256 for what they cannot hold.
    private static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else {
                throw ArchiveError("a number is too large")
            }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value <= UInt64(Int64.max) else { throw ArchiveError("a number is too large") }
            return Int64(value)
        }
        let digits = field.drop { $0 == 32 || $0 == 0 }.prefix { $0 != 32 && $0 != 0 }
        guard digits.allSatisfy({ (0x30...0x37).contains($0) }), digits.count <= 20 else {
            throw ArchiveError("the archive is not tar, or is damaged")
        }
        return digits.reduce(0) { $0 << 3 | Int64($1 - 0x30) }
    }
}
