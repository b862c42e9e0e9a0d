import Crypto
import SoulBoxModel

/// The one API key that the fake database knows.
enum TestKey {
    static let id: [UInt8] = Array(1...16)
    static let secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_"
    static let text = "sb_live_\(Identifier.body(id))_\(secret)"
    static let secretHash = Array(SHA256.hash(data: Array(secret.utf8)))
}
