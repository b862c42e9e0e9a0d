internal import Crypto
internal import Foundation

/// Encrypts answers that are kept for repeated requests (AES-256-GCM): one may hold a new key, and the database must
/// hold no secret.
public struct ResponseSeal: Sendable {
    private let key: SymmetricKey

    /// A seal of 32 bytes of key.
    public init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// The sealed bytes: nonce, ciphertext and tag.
    func seal(_ bytes: [UInt8]) throws -> [UInt8] {
        guard let combined = try AES.GCM.seal(bytes, using: key).combined else { throw CryptoKitError.incorrectKeySize }
        return Array(combined)
    }

    /// What was sealed.
    func open(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try AES.GCM.open(try AES.GCM.SealedBox(combined: bytes), using: key))
    }
}
