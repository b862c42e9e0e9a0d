/// The header field `Range` for one range of bytes (RFC 9110, section 14).
enum ByteRange: Equatable {
    /// The whole; also for what is malformed or asks for several ranges, which a server may ignore.
    case whole
    /// From the first of these bytes to the last.
    case part(Range<Int64>)
    /// Nothing of it lies within the file: 416.
    case unsatisfiable

    /// What a field's value means for a file of that size.
    init(_ value: String?, size: Int64) {
        guard let value, value.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let parts = value.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !value.contains(","), let first = ByteRange.number(parts[0]),
            let last = ByteRange.number(parts[1])
        else {
            self = .whole
            return
        }
        switch (first, last) {
        case (nil, nil): self = .whole
        case (nil, let count?): self = count == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - count)..<size)
        case (let start?, let end):
            if let end, end < start {
                self = .whole
            } else {
                self = start >= size ? .unsatisfiable : .part(start..<min(size, (end ?? size - 1) + 1))
            }
        }
    }

    /// A number or nothing; nil for anything else.
    private static func number(_ text: Substring) -> Int64?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }
}
