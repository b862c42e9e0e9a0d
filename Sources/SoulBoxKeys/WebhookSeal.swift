internal import Crypto
internal import Foundation

/// Encrypts the secrets that webhooks are signed with (AES-256-GCM), so that the database holds none.
///
/// The key is derived (HKDF, RFC 5869) from the file that also seals kept answers, and the rule is part of what is
/// authenticated: neither an answer nor another rule's secret can be put in a secret's place.
public struct WebhookSeal: Sendable {
    private let key: SymmetricKey

    /// A seal of the instance's 32 bytes of key.
    public init(key: [UInt8]) {
        self.key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key), info: Array("soulbox webhook secrets 1".utf8),
            outputByteCount: 32)
    }

    /// The sealed secret of a rule: nonce, ciphertext and tag.
    public func seal(_ secret: String, rule: [UInt8]) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(secret.utf8), using: key, authenticating: rule)
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return Array(combined)
    }

    /// The secret of a rule.
    public func open(_ sealed: [UInt8], rule: [UInt8]) throws -> [UInt8] {
        Array(try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: rule))
    }
}
