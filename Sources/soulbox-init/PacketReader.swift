/// Reads a packet from its front; every read says whether there was enough.
struct PacketReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How many bytes are left.
    var left: Int { bytes.count - offset }

    /// The next four bytes as a number, little endian.
    mutating func word() -> UInt32? {
        guard left >= 4 else { return nil }
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        offset += 4
        return value
    }

    /// The next `count` bytes, in place.
    mutating func take(_ count: Int) -> UnsafeRawPointer? {
        guard count >= 0, count <= left, let base = bytes.baseAddress else { return nil }
        defer { offset += count }
        return base + offset
    }

    /// The next `count` bytes, when they are exactly `number` strings that each end in NUL.
    mutating func strings(_ number: Int, in count: Int) -> UnsafePointer<CChar>? {
        guard let start = take(count) else { return nil }
        var found = 0
        var last: UInt8 = 0
        for index in 0..<count {
            last = start.load(fromByteOffset: index, as: UInt8.self)
            if last == 0 { found += 1 }
        }
        guard found == number, count == 0 || last == 0 else { return nil }
        return start.assumingMemoryBound(to: CChar.self)
    }
}
