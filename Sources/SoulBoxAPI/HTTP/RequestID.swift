/// The identifier of a request: in its log lines, its errors and the header `X-Request-ID`.
enum RequestID {
    /// The identifier when it is one that may be echoed: 1 to 64 of `A–Z a–z 0–9 _ -`.
    static func accept(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isPlain ? text : nil
    }

    /// A new identifier: `req_` and 32 hexadecimal digits.
    static func make() -> String {
        let digits = Array("0123456789abcdef".utf8)
        var generator = SystemRandomNumberGenerator()
        // Two words and not 32 digits: each is a system call.
        let random = [generator.next() as UInt64, generator.next()]
        let text = (0..<32).map { digits[Int(random[$0 / 16] >> UInt64(4 * ($0 % 16)) & 15)] }
        return "req_" + String(decoding: text, as: UTF8.self)
    }
}
