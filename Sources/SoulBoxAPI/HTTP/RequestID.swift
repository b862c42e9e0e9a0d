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
        let random = (0..<32).map { _ in digits[Int.random(in: 0..<16, using: &generator)] }
        return "req_" + String(decoding: random, as: UTF8.self)
    }
}
