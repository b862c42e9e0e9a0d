internal import Crypto
internal import SoulBoxModel
public import SoulBoxStore

/// An API key as clients send it: `sb_live_<id>_<secret>`.
///
/// Only its shape is read here; whether it is good is decided by the database, on the hash of its secret.
public struct APIKey: Sendable {
    private static let prefix = "sb_live_"
    private static let secretLength = 43

    /// The key as clients send it.
    public let text: String

    /// The key's identifier.
    public let id: [UInt8]

    /// SHA-256 of the secret's text.
    public let secretHash: [UInt8]

    /// What the database knows it by.
    public var credential: Credential { Credential(keyID: id, secretHash: secretHash) }

    /// Reads a key; nil when the text has not the shape of one.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let idEnd = APIKey.prefix.utf8.count + Identifier.bodyLength
        guard bytes.count == idEnd + 1 + APIKey.secretLength, bytes.starts(with: APIKey.prefix.utf8),
            bytes[idEnd] == UInt8(ascii: "_"),
            let id = Identifier.parseBody(bytes[APIKey.prefix.utf8.count..<idEnd])
        else { return nil }
        let secret = bytes[(idEnd + 1)...]
        guard secret.allSatisfy(APIKey.isBase64URL) else { return nil }
        self.text = text
        self.id = id
        secretHash = Array(SHA256.hash(data: Array(secret)))
    }

    /// A key with 32 random bytes of secret; it exists here and with whoever it is shown to, nowhere else.
    ///
    /// - Parameter id: The key that gets another secret; nil makes a new key.
    public init(newFor id: [UInt8]? = nil) {
        var generator = SystemRandomNumberGenerator()
        let secret = Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let id = id ?? Identifier.makeUUID()
        text = "\(APIKey.prefix)\(Identifier.body(id))_\(secret)"
        self.id = id
        secretHash = Array(SHA256.hash(data: Array(secret.utf8)))
    }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
