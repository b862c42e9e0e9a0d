internal import Crypto
internal import SoulBoxModel
internal import SoulBoxStore

/// An API key as clients send it: `sb_live_<id>_<secret>`.
///
/// Only its shape is read here; whether it is good is decided by the database, on the hash of its secret.
struct APIKey {
    private static let prefix = "sb_live_"
    private static let secretLength = 43

    /// The key as clients send it.
    let text: String

    /// The key's identifier.
    let id: [UInt8]

    /// SHA-256 of the secret's text.
    let secretHash: [UInt8]

    /// What the database knows it by.
    var credential: Credential { Credential(keyID: id, secretHash: secretHash) }

    /// Reads a key; nil when the text has not the shape of one.
    init?(_ text: String) {
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

    /// A key with 32 random bytes of secret.
    init(newFor id: [UInt8] = Identifier.makeUUID()) {
        var generator = SystemRandomNumberGenerator()
        let secret = Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
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
