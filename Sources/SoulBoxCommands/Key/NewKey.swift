import Crypto
import SoulBoxModel
import SoulBoxStore

/// A key that has just been made. Its secret exists here and with whoever it is shown to, nowhere else.
struct NewKey {
    /// The key as clients send it: `sb_live_<id>_<secret>`.
    let text: String
    /// What the database keeps.
    let credential: Credential

    /// Makes a key with 32 random bytes of secret.
    init() {
        let id = Identifier.makeUUID()
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        // base64url without padding (RFC 4648, section 5): 43 characters.
        let secret = Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        text = "sb_live_\(Identifier.body(id))_\(secret)"
        credential = Credential(keyID: id, secretHash: Array(SHA256.hash(data: Array(secret.utf8))))
    }
}
