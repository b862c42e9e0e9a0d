internal import Crypto

/// What tells a receiver that a webhook comes from this service, and when it was sent.
public enum WebhookSignature {
    /// The value of the header `X-SoulBox-Signature`: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body" in hexadecimal>`.
    public static func header(secret: [UInt8], at seconds: Int64, body: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: secret))
        code.update(data: Array("\(seconds).".utf8))
        code.update(data: body)
        let digits = Array("0123456789abcdef".utf8)
        let text = code.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "t=\(seconds),v1=" + String(decoding: text, as: UTF8.self)
    }
}
