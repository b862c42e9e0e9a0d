import CInit

/// A packet that is put together: kind, length, and little endian numbers.
struct PacketWriter {
    private var body: [UInt8] = []
    private let kind: UInt32

    init(_ kind: UInt32) { self.kind = kind }

    mutating func append(_ value: UInt32) {
        for shift in 0..<4 { body.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
    }

    mutating func append(_ value: UInt64) {
        append(UInt32(truncatingIfNeeded: value))
        append(UInt32(truncatingIfNeeded: value >> 32))
    }

    mutating func append(_ bytes: [UInt8]) { body.append(contentsOf: bytes) }

    /// How long the body is.
    var count: Int { body.count }

    /// Sends the packet; a connection that does not take it is its peer's loss.
    func send(to descriptor: Int32) {
        var packet = PacketWriter(kind)
        packet.append(kind)
        packet.append(UInt32(body.count))
        packet.append(body)
        packet.body.withUnsafeBytes { init_send(descriptor, $0.baseAddress, $0.count) }
    }
}
