import Crypto
import Foundation
import SoulBoxModel
import Testing

/// Tokens: rows 90, 91 of the attack table and fault 43.
@Suite("Tokens", .enabled(if: Host.canRunStack), .serialized)
struct TokenTests {
    private var stack: TestStack { .shared }

    private func status(_ token: String, _ stack: TestStack = .shared, _ path: String = "/api/account") async throws
        -> Answer
    {
        try await stack.send("GET", path, headers: ["Authorization": "Bearer \(token)"], authenticated: false)
    }

    private static func encode(_ header: JSONValue, _ claims: JSONValue) -> String {
        Base64URL.encode(header.bytes) + "." + Base64URL.encode(claims.bytes)
    }

    /// The key that signs the stack's tokens.
    private func signingKey(_ stack: TestStack = .shared) throws -> (id: String, key: Curve25519.Signing.PrivateKey) {
        let directory = stack.home + "/data/tokens"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".key") }.max())
        let bytes = try #require(FileManager.default.contents(atPath: "\(directory)/\(name)"))
        return (String(name.dropLast(4)), try Curve25519.Signing.PrivateKey(rawRepresentation: bytes))
    }

    private func sign(_ text: String, _ key: Curve25519.Signing.PrivateKey) throws -> String {
        text + "." + Base64URL.encode(Array(try key.signature(for: Array(text.utf8))))
    }

    @Test("a key makes a token that does what it allows, and no more")
    func issue() async throws {
        let answer = try await stack.send(
            "POST", "/api/auth/token", body: Array(#"{"permissions":["monitor_read"],"expires_in":60}"#.utf8))
        #expect(answer.status == 200 && answer.json["expires_in"] == 60, "\(answer.text)")
        let token = try #require(answer.json["token"]?.stringValue)
        #expect(try await status(token).status == 200)
        #expect(try await status(token, stack, "/api/executions").status == 403)
        let again = try await stack.send(
            "POST", "/api/auth/token", headers: ["Authorization": "Bearer \(token)"], authenticated: false)
        #expect(again.status == 403, "\(again.text)")
        let more = try await stack.send(
            "POST", "/api/auth/token", body: Array(#"{"permissions":["admin"]}"#.utf8), key: stack.makeKey("execute"))
        #expect(more.status == 403)
        #expect(try await stack.send("GET", "/api/auth/jwks.json", authenticated: false).status == 200)
    }

    @Test("90, 91: tokens that are forged, over or meant for others are refused, all alike")
    func forged() async throws {
        let (id, key) = try signingKey()
        let good = try await stack.send("POST", "/api/auth/token")
        let sub = try #require(
            good.json["token"]?.stringValue?.split(separator: ".").dropFirst().first
                .flatMap { Base64URL.decode($0) }.flatMap { try? JSONParser.parse($0) }?["sub"])
        let now = Int64(Date().timeIntervalSince1970)
        func claims(_ changes: [(String, JSONValue?)]) -> JSONValue {
            var object = JSONObject([
                ("iss", "soulbox"), ("aud", "soulbox"), ("sub", sub), ("iat", .integer(now)),
                ("exp", .integer(now + 600)), ("permissions", ["admin"]),
            ])
            for (name, value) in changes { object[name] = value }
            return .object(object)
        }
        let header: JSONValue = ["alg": "EdDSA", "kid": .string(id), "typ": "JWT"]
        let whole = try sign(TokenTests.encode(header, claims([])), key)
        #expect(try await status(whole).status == 200, "the claims are right, so what follows fails for its own reason")

        let publicKey = Array(key.publicKey.rawRepresentation)
        let other = Curve25519.Signing.PrivateKey()
        var bad: [String] = []
        for name in ["none", "None", "NONE", ""] {
            let text = TokenTests.encode(["alg": .string(name), "kid": .string(id)], claims([]))
            bad += [text + ".", try sign(text, key)]
        }
        let symmetric = TokenTests.encode(["alg": "HS256", "kid": .string(id)], claims([]))
        let code = HMAC<SHA256>.authenticationCode(for: Array(symmetric.utf8), using: SymmetricKey(data: publicKey))
        bad.append(symmetric + "." + Base64URL.encode(Array(code)))
        for kid in ["../../dev/null", "' or 1=1 --", "", "0" + id] {
            bad.append(try sign(TokenTests.encode(["alg": "EdDSA", "kid": .string(kid)], claims([])), key))
        }
        bad.append(try sign(TokenTests.encode(["alg": "EdDSA"], claims([])), key))
        bad.append(try sign(TokenTests.encode(header, claims([])), other))
        let jwk: JSONValue = [
            "kty": "OKP", "crv": "Ed25519", "x": .string(Base64URL.encode(Array(other.publicKey.rawRepresentation))),
        ]
        bad.append(
            try sign(TokenTests.encode(["alg": "EdDSA", "kid": .string(id), "jwk": jwk], claims([])), other))
        bad.append(
            try sign(
                TokenTests.encode(["alg": "EdDSA", "kid": .string(id), "crit": ["x"], "x": 1], claims([])), key))
        for changes: [(String, JSONValue?)] in [
            [("exp", .integer(now - 30))], [("exp", nil)], [("exp", "soon")], [("nbf", .integer(now + 300))],
            [("iat", .integer(now + 300))], [("aud", "others")], [("aud", nil)], [("iss", "others")], [("iss", nil)],
            [("sub", nil)], [("sub", .string(Identifier.make(.key)))], [("sub", "key_' or 1=1")],
        ] {
            bad.append(try sign(TokenTests.encode(header, claims(changes)), key))
        }
        bad.append(
            try sign(TokenTests.encode(header, claims([("x", .string(String(repeating: "y", count: 9000)))])), key))
        let twice = Base64URL.encode(Array(#"{"alg":"EdDSA","kid":"\#(id)","alg":"EdDSA"}"#.utf8))
        bad.append(try sign(twice + "." + Base64URL.encode(claims([]).bytes), key))
        bad += [String(whole.dropLast()), whole + "A", whole + ".x", "a.b.c", "..", whole.uppercased()]

        var bodies: Set<String> = []
        for token in bad {
            let answer = try await stack.send(
                "GET", "/api/account", headers: ["Authorization": "Bearer \(token)", "X-Request-ID": "same"],
                authenticated: false)
            // Past sixty in a minute the address is told to wait instead; neither lets anything in.
            #expect(answer.status == 401 || answer.status == 429, "\(token) \(answer.text)")
            if answer.status == 401 { bodies.insert(answer.text) }
        }
        #expect(bodies.count == 1, "\(bodies)")
    }

    @Test("43: after a rotation both keys are good; a revoked key's tokens are not")
    func rotation() async throws {
        let old = try await stack.send("POST", "/api/auth/token")
        let first = try #require(old.json["token"]?.stringValue)
        let id = try stack.command("token-key", "rotate").trimmingCharacters(in: .newlines)
        var second = first
        for _ in 0..<40 where !(second != first && second.hasPrefix(TokenTests.prefix(id))) {
            try await Task.sleep(for: .milliseconds(250))
            second = try #require(try await stack.send("POST", "/api/auth/token").json["token"]?.stringValue)
        }
        #expect(second.hasPrefix(TokenTests.prefix(id)), "the new key signs within seconds")
        for token in [first, second] { #expect(try await status(token).status == 200) }
        let keys = try await stack.send("GET", "/api/auth/jwks.json", authenticated: false)
        #expect(keys.json["keys"]?.arrayValue?.count ?? 0 >= 2)

        let made = try await stack.send(
            "POST", "/api/auth/api-keys", body: Array(#"{"name":"n","permissions":["execute"]}"#.utf8))
        let key = try #require(made.json["key"]?.stringValue)
        let token = try #require(try await stack.send("POST", "/api/auth/token", key: key).json["token"]?.stringValue)
        #expect(try await status(token).status == 200)
        _ = try await stack.send("DELETE", "/api/auth/api-keys/\(made.json["key_id"]?.stringValue ?? "")")
        #expect(try await status(token).status == 401)
    }

    /// How a token begins that a key has signed.
    private static func prefix(_ id: String) -> String {
        let header: JSONValue = ["alg": "EdDSA", "kid": .string(id), "typ": "JWT"]
        return Base64URL.encode(header.bytes)
    }

    @Test("another issuer's callers get an account each, with what their tokens allow")
    func external() async throws {
        let edwards = Curve25519.Signing.PrivateKey()
        let elliptic = P256.Signing.PrivateKey()
        let point = Array(elliptic.publicKey.x963Representation.dropFirst())
        let set: JSONValue = [
            "keys": [
                [
                    "kty": "OKP", "crv": "Ed25519", "kid": "e", "alg": "EdDSA",
                    "x": .string(Base64URL.encode(Array(edwards.publicKey.rawRepresentation))),
                ],
                [
                    "kty": "EC", "crv": "P-256", "kid": "p", "alg": "ES256", "use": "sig",
                    "x": .string(Base64URL.encode(Array(point[..<32]))),
                    "y": .string(Base64URL.encode(Array(point[32...]))),
                ],
            ]
        ]
        let file = "/tmp/soulbox-test-jwks-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(set.bytes).write(to: URL(filePath: file))
        chmod(file, 0o644)
        let stack = try TestStack(
            configuration: "tokens:\n  issuer: https://id.example\n  audience: box\n  key_file: \(file)\n")
        defer { stack.stop() }
        let now = Int64(Date().timeIntervalSince1970)
        func claims(_ subject: String, _ more: [(String, JSONValue)] = []) -> JSONValue {
            .object(
                JSONObject(
                    [
                        ("iss", "https://id.example"), ("aud", ["x", "box"]), ("sub", .string(subject)),
                        ("exp", .integer(now + 600)),
                    ] + more))
        }
        let ada = try sign(
            TokenTests.encode(["alg": "EdDSA", "kid": "e"], claims("ada", [("scope", "openid execute")])), edwards)
        let text = TokenTests.encode(["alg": "ES256", "kid": "p"], claims("bob", [("permissions", ["monitor_read"])]))
        let bob = text + "." + Base64URL.encode(Array(try elliptic.signature(for: Array(text.utf8)).rawRepresentation))
        let first = try await status(ada, stack)
        #expect(first.status == 200, "\(first.text)")
        #expect(try await status(ada, stack).json["account_id"] == first.json["account_id"])
        let second = try await status(bob, stack)
        #expect(second.status == 200 && second.json["account_id"] != first.json["account_id"], "\(second.text)")
        #expect(try await status(ada, stack, "/api/executions").status == 200)
        #expect(try await status(bob, stack, "/api/executions").status == 403)
        // A key is for one algorithm: the same bytes under another name are nothing.
        let confused = try sign(TokenTests.encode(["alg": "EdDSA", "kid": "p"], claims("ada")), edwards)
        #expect(try await status(confused, stack).status == 401)
        let wrongAudience = try sign(
            TokenTests.encode(
                ["alg": "EdDSA", "kid": "e"],
                ["iss": "https://id.example", "aud": "soulbox", "sub": "ada", "exp": .integer(now + 600)]), edwards)
        #expect(try await status(wrongAudience, stack).status == 401)
    }
}
