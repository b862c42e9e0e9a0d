/// The identifiers of the API: a prefix that tells the kind, then a UUIDv7 in Crockford's base32, lower case.
///
/// A UUIDv7 (RFC 9562, section 5.7) begins with the time, and base32 keeps the order, so identifiers sort by age.
public enum Identifier {
    /// What an identifier names.
    public enum Kind: String, Sendable, CaseIterable {
        case account = "acct_"
        case key = "key_"
        case execution = "exec_"
        case sandbox = "sb_"
        case snapshot = "snap_"
        case template = "tmpl_"
        case alert = "alert_"
        case rule = "rule_"
        case audit = "audit_"
        case event = "event_"
        case context = "ctx_"
        case delivery = "dlv_"
    }

    /// How many characters follow the prefix.
    public static let bodyLength = 26

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The digit that each byte stands for; 255 for none.
    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 255, count: 256)
        for (digit, byte) in alphabet.enumerated() { digits[Int(byte)] = UInt8(digit) }
        return digits
    }()

    /// A new identifier.
    public static func make(_ kind: Kind) -> String { text(kind, uuid: makeUUID()) }

    /// The 16 bytes of a new UUIDv7.
    public static func makeUUID() -> [UInt8] {
        // Two words and not sixteen bytes: each is a system call.
        var generator = SystemRandomNumberGenerator()
        let random = [generator.next() as UInt64, generator.next()]
        var bytes = (0..<16).map { UInt8(truncatingIfNeeded: random[$0 / 8] >> UInt64(8 * ($0 % 8))) }
        let milliseconds = UInt64(Timestamp.now.microseconds / 1000)
        for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> UInt64(8 * (5 - index))) }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        return bytes
    }

    /// The identifier of that kind that spells these 16 bytes.
    public static func text(_ kind: Kind, uuid: [UInt8]) -> String { kind.rawValue + body(uuid) }

    /// 16 bytes as 26 characters: two zero bits, then the 128.
    public static func body(_ uuid: [UInt8]) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bodyLength)
        var accumulator: UInt32 = 0
        var bits = 2
        for byte in uuid {
            accumulator = accumulator << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                output.append(alphabet[Int(accumulator >> UInt32(bits) & 31)])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The 16 bytes of an identifier of that kind; nil when the text is none, also in upper case or with `i l o u`.
    public static func parse(_ text: String, _ kind: Kind) -> [UInt8]? {
        guard text.utf8.starts(with: kind.rawValue.utf8) else { return nil }
        return parseBody(text.utf8.dropFirst(kind.rawValue.utf8.count))
    }

    /// The 16 bytes that 26 characters spell.
    public static func parseBody(_ body: some Collection<UInt8>) -> [UInt8]? {
        guard body.count == bodyLength else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var accumulator: UInt32 = 0
        var bits = -2
        for character in body {
            let digit = digits[Int(character)]
            guard digit != 255 else { return nil }
            accumulator = accumulator << 5 | UInt32(digit)
            bits += 5
            // The first two of the 130 bits are no data.
            if bits == 3 && digit > 7 { return nil }
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
            }
        }
        return bytes.count == 16 ? bytes : nil
    }
}
