internal import Crypto
internal import Foundation
internal import LinuxKernel
internal import SoulBoxModel

/// The keys that sign this service's tokens: one file for each in a directory that only the service reads.
///
/// The newest signs. Those before it verify for as long as their file is there, so that tokens outlive a rotation. The
/// names of the files, `<kid>.key`, sort by age.
struct TokenKeys: Sendable {
    /// A key that verifies.
    struct Key: Sendable {
        let id: String
        let privateKey: Curve25519.Signing.PrivateKey
    }

    /// The keys, the oldest first.
    let keys: [Key]

    /// Reads the directory; files that hold no key are left out.
    init(directory: String) {
        let names = ((try? Files.list(directory)) ?? []).filter { $0.hasSuffix(".key") }.sorted()
        keys = names.compactMap { name in
            guard let bytes = try? Files.read("\(directory)/\(name)", maximum: 32),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
            else { return nil }
            return Key(id: String(name.dropLast(4)), privateKey: key)
        }
    }

    /// Whether one of them has signed a token.
    func verify(_ token: TokenClaims) -> Bool {
        // One algorithm for all of them; the key is looked up among these and nowhere else.
        guard token.algorithm == "EdDSA", let key = keys.first(where: { $0.id == token.keyID }) else { return false }
        return key.privateKey.publicKey.isValidSignature(token.signature, for: token.signedBytes)
    }

    /// The set of public keys (RFC 7517; RFC 8037 for this kind).
    var json: JSONValue {
        [
            "keys": .array(
                keys.map { key in
                    [
                        "kty": "OKP", "crv": "Ed25519",
                        "x": .string(Base64URL.encode(Array(key.privateKey.publicKey.rawRepresentation))),
                        "kid": .string(key.id), "alg": "EdDSA", "use": "sig",
                    ]
                })
        ]
    }

    /// Signs claims with the newest key; nil when there is none.
    func sign(_ claims: JSONObject) -> String? {
        guard let key = keys.last else { return nil }
        let header: JSONValue = ["alg": "EdDSA", "kid": .string(key.id), "typ": "JWT"]
        let text = Base64URL.encode(header.bytes) + "." + Base64URL.encode(JSONValue.object(claims).bytes)
        guard let signature = try? key.privateKey.signature(for: Array(text.utf8)) else { return nil }
        return text + "." + Base64URL.encode(Array(signature))
    }
}
