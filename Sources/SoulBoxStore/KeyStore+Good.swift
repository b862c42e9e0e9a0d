internal import Postgres

extension KeyStore {
    /// Those of the credentials that may still be used: their keys neither revoked nor over, the secret not replaced by another. The
    /// time of tokens is not looked at.
    public func good(among credentials: [Credential]) throws -> Set<Credential> {
        try pool.withConnection { connection in
            let result = try connection.run(
                """
                SELECT given.number
                FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS given (id, hash, number)
                JOIN api_keys k ON k.id = given.id
                WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
                    AND (given.hash = '' OR k.secret_hash = decode(given.hash, 'hex')
                        OR (k.previous_hash = decode(given.hash, 'hex') AND k.previous_until > clock_timestamp()))
                """,
                [
                    .textArray(credentials.map { KeyStore.hexadecimal($0.keyID) }),
                    .textArray(credentials.map { KeyStore.hexadecimal($0.secretHash ?? []) }),
                ])
            return Set(try result.rows.map { credentials[Int(try $0.integer("number")) - 1] })
        }
    }

    /// PostgreSQL reads a uuid without its hyphens too.
    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
