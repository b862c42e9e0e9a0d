internal import Foundation
internal import JWTKit
internal import LinuxKernel
internal import SoulBoxModel

/// The public keys of another issuer, each for exactly one algorithm.
struct IssuerKeys: Sendable {
    /// Asymmetric ones alone: whoever can verify must not be able to sign.
    private static let algorithms: Set<String> = [
        "EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
    ]

    private let keys: [String: any JWTAlgorithm]

    /// Reads a JWKS file; keys without `kid` or `alg`, and those of another kind, are left out.
    init(file: String) {
        var keys: [String: any JWTAlgorithm] = [:]
        let text = (try? Files.read(file)) ?? []
        for value in (try? JSONParser.parse(text))?["keys"]?.arrayValue ?? [] {
            guard let id = value["kid"]?.stringValue, let algorithm = value["alg"]?.stringValue,
                IssuerKeys.algorithms.contains(algorithm), value["use"]?.stringValue ?? "sig" == "sig",
                let key = IssuerKeys.key(value, id: id)
            else { continue }
            keys[id] = key
        }
        self.keys = keys
    }

    /// How many keys there are.
    var count: Int { keys.count }

    /// Whether one of them has signed a token.
    func verify(_ token: TokenClaims) -> Bool {
        guard let key = keys[token.keyID], key.name == token.algorithm else { return false }
        return (try? key.verify(token.signature, signs: token.signedBytes)) == true
    }

    /// A key as JWTKit makes it; its collection is an actor, and this is called by threads that may wait.
    private static func key(_ value: JSONValue, id: String) -> (any JWTAlgorithm)? {
        guard let jwk = try? JWK(json: value.text) else { return nil }
        let made = Monitor<Result<any JWTAlgorithm, any Error>?>(nil)
        Task.detached {
            do {
                let collection = JWTKeyCollection()
                try await collection.add(jwk: jwk)
                let key = try await collection.getKey(for: JWKIdentifier(string: id), alg: jwk.algorithm?.rawValue)
                made.update { $0 = .success(key) }
            } catch {
                made.update { $0 = .failure(error) }
            }
        }
        return made.wait(until: MonotonicClock.now + 5_000_000_000) { $0 }.flatMap { try? $0.get() }
    }
}
