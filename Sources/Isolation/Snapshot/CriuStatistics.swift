/// What CRIU has measured of a dump (`stats-dump`, images/stats.proto).
enum CriuStatistics {
    /// Magic numbers, and the length of the message.
    private static let header = 12

    /// Microseconds from the first process that stood still to the moment at which all might go on; nil when the file tells
    /// nothing of it.
    static func pauseMicroseconds(_ bytes: [UInt8]) -> Int64? {
        var rest = bytes.dropFirst(header)
        // One message within the message: that of a dump, and not of a restore.
        guard varint(&rest) == 1 << 3 | 2, let length = varint(&rest) else { return nil }
        var dump = rest.prefix(Int(clamping: length))
        var numbers: [UInt64: UInt64] = [:]
        while let head = varint(&dump), head & 7 == 0, let value = varint(&dump) { numbers[head >> 3] = value }
        guard let freezing = numbers[1], let frozen = numbers[2] else { return nil }
        return Int64(clamping: freezing.addingReportingOverflow(frozen).partialValue)
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = bytes.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
