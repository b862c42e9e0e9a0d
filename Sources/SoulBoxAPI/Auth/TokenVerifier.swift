internal import LinuxKernel
internal import SoulBoxModel
public import SoulBoxStore
internal import Synchronization

/// Knows whose tokens are good: this service's own, and those of one other issuer.
public final class TokenVerifier: Sendable {
    private struct State {
        var own: TokenKeys
        var issuer: IssuerKeys?
        var stamps: [String]
        var checkedAt: UInt64
    }

    /// How long a token is good, in seconds.
    static let maximumLifetime: Int64 = 900

    private static let checkNanoseconds: UInt64 = 2_000_000_000
    private static let clockSeconds = 5.0

    private let name: String
    private let directory: String
    private let external: TokenIssuer?
    private let keys: KeyStore
    private let state: Mutex<State>

    /// Reads the keys; files that change later are read again within seconds.
    ///
    /// - Parameters:
    ///   - name: What this service's tokens say in `iss` and `aud`.
    ///   - directory: Where its signing keys are.
    ///   - external: Somebody else who signs tokens.
    public init(name: String, directory: String, external: TokenIssuer?, keys: KeyStore) {
        self.name = name
        self.directory = directory
        self.external = external
        self.keys = keys
        state = Mutex(
            State(
                own: TokenKeys(directory: directory), issuer: external.map { IssuerKeys(file: $0.keyFile) },
                stamps: TokenVerifier.stamps(directory, external), checkedAt: MonotonicClock.now))
    }

    /// The service's public keys.
    var publicKeys: JSONValue { current().own.json }

    /// A token for the holder of a key; nil when there is no key to sign with.
    func issue(key: [UInt8], permissions: [Permission], lifetime: Int64, now: Timestamp) -> String? {
        let seconds = now.microseconds / 1_000_000
        return current().own.sign(
            JSONObject([
                ("iss", .string(name)), ("aud", .string(name)), ("sub", .string(Identifier.text(.key, uuid: key))),
                ("iat", .integer(seconds)), ("exp", .integer(seconds + lifetime)),
                ("jti", .string(Identifier.body(Identifier.makeUUID()))),
                ("permissions", .array(permissions.map { .string($0.rawValue) })),
            ]))
    }

    /// Whose token it is; nil for one that is not good.
    ///
    /// - Throws: 503 when the database is needed and away.
    func credential(of text: String) throws(APIError) -> Credential? {
        guard let token = TokenClaims(text), let issuer = token.claims["iss"]?.stringValue else { return nil }
        let state = current()
        if issuer == name {
            guard token.isCurrent(leewaySeconds: TokenVerifier.clockSeconds), token.isFor(name),
                state.own.verify(token),
                let key = token.claims["sub"]?.stringValue.flatMap({ Identifier.parse($0, .key) })
            else { return nil }
            return Credential(
                tokenOf: key, only: TokenVerifier.permissions(token),
                expiresAt: token.expiry(leewaySeconds: TokenVerifier.clockSeconds))
        }
        guard let external, let issuerKeys = state.issuer, issuer == external.issuer, token.isCurrent(),
            token.isFor(external.audience), issuerKeys.verify(token),
            let subject = token.claims["sub"]?.stringValue, (1...200).contains(subject.utf8.count),
            !subject.utf8.contains(0)
        else { return nil }
        let permissions = TokenVerifier.permissions(token)
        do {
            let key = try keys.external(issuer: issuer, subject: subject, permissions: permissions)
            return Credential(tokenOf: key, only: permissions, expiresAt: token.expiry())
        } catch {
            throw .unavailable
        }
    }

    /// What a token allows: the claim `permissions`, or the words of `scope` (RFC 8693, section 4.2).
    private static func permissions(_ token: TokenClaims) -> Set<Permission> {
        let names =
            token.claims["permissions"]?.arrayValue?.compactMap(\.stringValue)
            ?? token.claims["scope"]?.stringValue?.split(separator: " ").map(String.init) ?? []
        return Set(names.compactMap(Permission.init(rawValue:)))
    }

    private func current() -> State {
        state.withLock { state in
            let now = MonotonicClock.now
            guard now > state.checkedAt + TokenVerifier.checkNanoseconds else { return state }
            state.checkedAt = now
            let stamps = TokenVerifier.stamps(directory, external)
            if stamps != state.stamps {
                state.stamps = stamps
                state.own = TokenKeys(directory: directory)
                state.issuer = external.map { IssuerKeys(file: $0.keyFile) }
            }
            return state
        }
    }

    /// What changes when the files do.
    private static func stamps(_ directory: String, _ external: TokenIssuer?) -> [String] {
        ([directory] + (external.map { [$0.keyFile] } ?? [])).map { path in
            (try? Files.status(path)).map { "\($0.changed) \($0.size)" } ?? "none"
        }
    }
}
