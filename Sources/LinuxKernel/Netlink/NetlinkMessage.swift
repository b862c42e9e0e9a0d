/// A message of netlink(7) being put together: a header, what its type begins with, and attributes.
public struct NetlinkMessage: Sendable {
    /// Flags of a request (linux/netlink.h, NLM_F_…).
    public struct Flags: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt16

        /// Flags with these bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Answer everything that there is.
        public static let dump = Flags(rawValue: 0x300)
        /// Fail when it is there.
        public static let exclusive = Flags(rawValue: 0x200)
        /// Make it when it is not there.
        public static let create = Flags(rawValue: 0x400)
    }

    /// Bytes of the header that every message begins with.
    static let headerBytes = 16

    private static let request: UInt16 = 1
    private static let acknowledge: UInt16 = 4

    private(set) var bytes: [UInt8]

    /// Begins a request.
    ///
    /// - Parameters:
    ///   - type: The type, a number of its protocol.
    ///   - prefix: What comes before the attributes.
    public init(type: UInt16, flags: Flags = [], prefix: [UInt8]) {
        let isDump = flags.isSuperset(of: .dump)
        bytes = [0, 0, 0, 0]
        append(type)
        append(flags.rawValue | NetlinkMessage.request | (isDump ? 0 : NetlinkMessage.acknowledge))
        // The sequence number is the socket's to set; the port is the kernel's.
        bytes += [UInt8](repeating: 0, count: 8)
        bytes += prefix
        pad()
    }

    /// Adds an attribute.
    public mutating func add(_ type: UInt16, _ payload: [UInt8]) {
        append(UInt16(payload.count + 4))
        append(type)
        bytes += payload
        pad()
    }

    /// Adds an attribute that is a text.
    public mutating func add(_ type: UInt16, text: String) { add(type, Array(text.utf8) + [0]) }

    /// Adds an attribute that is a number in the machine's order.
    public mutating func add(_ type: UInt16, number: UInt32) { add(type, NetlinkMessage.bytes(of: number)) }

    /// Adds an attribute that holds others, after `prefix`.
    public mutating func nest(_ type: UInt16, prefix: [UInt8] = [], _ body: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type)
        bytes += prefix
        pad()
        body(&self)
        let length = NetlinkMessage.bytes(of: UInt16(bytes.count - start))
        bytes.replaceSubrange(start..<start + 2, with: length)
    }

    /// The whole message with its length and that number.
    func finished(sequence: UInt32) -> [UInt8] {
        var result = bytes
        result.replaceSubrange(0..<4, with: NetlinkMessage.bytes(of: UInt32(bytes.count)))
        result.replaceSubrange(8..<12, with: NetlinkMessage.bytes(of: sequence))
        return result
    }

    /// A number's bytes in the machine's order.
    public static func bytes<Number: FixedWidthInteger>(of number: Number) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    private mutating func append(_ number: UInt16) { bytes += NetlinkMessage.bytes(of: number) }

    private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }
}
