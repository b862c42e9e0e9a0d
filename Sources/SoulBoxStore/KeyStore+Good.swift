internal import Postgres

extension KeyStore {
    /// Those of the keys, 16 bytes each, that may still be used: neither revoked nor over.
    public func good(among ids: [[UInt8]]) throws -> Set<[UInt8]> {
        try pool.withConnection { connection in
            let result = try connection.run(
                """
                SELECT id FROM api_keys
                WHERE id = ANY ($1::uuid[]) AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > clock_timestamp())
                """, [.textArray(ids.map(KeyStore.hexadecimal))])
            return Set(try result.rows.map { try $0.bytes("id") })
        }
    }

    /// PostgreSQL reads a uuid without its hyphens too.
    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
