/// What extended headers say of the entry that follows. Each thing once: readers differ on which of two counts.
struct LongNames {
    private(set) var path: String?
    private(set) var link: String?
    private(set) var size: Int64?

    mutating func take(name bytes: [UInt8]) throws { path = try once(path, bytes) }
    mutating func take(link bytes: [UInt8]) throws { link = try once(link, bytes) }

    private func once(_ known: String?, _ bytes: [UInt8]) throws -> String {
        let trimmed = bytes.last == 0 ? bytes.dropLast() : bytes[...]
        guard known == nil, let text = String(validating: trimmed, as: UTF8.self), !text.utf8.contains(0) else {
            throw ArchiveError("a long name is given twice, or is not UTF-8")
        }
        return text
    }

    /// Records of the form `length key=value\n`.
    mutating func take(pax bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...6).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 2, length <= rest.count,
                rest[rest.startIndex + digits.count] == 32, rest[rest.startIndex + length - 1] == 10
            else { throw ArchiveError("an extended header is damaged") }
            let record = rest.prefix(length).dropFirst(digits.count + 1).dropLast()
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw ArchiveError("an extended header is damaged")
            }
            let value = Array(record[record.index(after: equals)...])
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": try take(name: value)
            case "linkpath": try take(link: value)
            case "size":
                guard size == nil, let number = Int64(String(decoding: value, as: UTF8.self)), number >= 0 else {
                    throw ArchiveError("a size is given twice, or is none")
                }
                size = number
            default: break
            }
        }
    }
}
