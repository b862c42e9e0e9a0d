public import Postgres

/// What requests with an `Idempotency-Key` did, for 24 hours.
public struct IdempotencyStore: Sendable {
    /// What came of a request.
    public enum Outcome: Sendable, Equatable {
        /// It was carried out now; this is its answer.
        case fresh([UInt8])
        /// It was carried out before; this is its answer as it was sealed then.
        case repeated([UInt8])
        /// The key stands for another request.
        case mismatched
    }

    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Changes something once: the change, its answer and its line in the audit log are noted together or not at all.
    ///
    /// - Parameters:
    ///   - idempotency: What makes a repeated request known; without it each call is carried out.
    ///   - seal: Encrypts the answer; it may hold a secret, and the database must not.
    ///   - body: The change; gives the answer.
    public func once(
        account: [UInt8], idempotency: Idempotency?, audit: AuditEntry, seal: ([UInt8]) throws -> [UInt8],
        _ body: (StoreTransaction) throws -> [UInt8]
    ) throws -> Outcome {
        try pool.withConnection { connection in
            try connection.transaction(sharesFlush: true) { connection in
                if let idempotency, let earlier = try find(idempotency, account, connection) { return earlier }
                let answer = try body(StoreTransaction(connection: connection))
                try AuditStore.note(audit, connection)
                guard let idempotency else { return .fresh(answer) }
                try connection.run(
                    """
                    INSERT INTO idempotency_keys (account_id, key, request_hash, response) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (account_id, key) DO UPDATE SET
                        request_hash = excluded.request_hash, response = excluded.response, execution_id = NULL,
                        created_at = now()
                    """,
                    [
                        .uuid(account), .text(idempotency.key), .bytes(idempotency.requestHash),
                        .bytes(try seal(answer)),
                    ])
                return .fresh(answer)
            }
        }
    }

    private func find(
        _ idempotency: Idempotency, _ account: [UInt8], _ connection: PostgresConnection
    ) throws(PostgresError) -> Outcome? {
        // Waits for a request with the same key that is being carried out at this moment.
        try connection.run(
            "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2, 0)) IS NULL AS locked",
            [.uuid(account), .text(idempotency.key)])
        let result = try connection.run(
            """
            SELECT request_hash, response FROM idempotency_keys
            WHERE account_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'
            """, [.uuid(account), .text(idempotency.key)])
        guard let row = result.first else { return nil }
        guard try row.bytes("request_hash") == idempotency.requestHash, let response = try row.optionalBytes("response")
        else { return .mismatched }
        return .repeated(response)
    }

    /// Forgets keys after their time, a bounded number at a time. Returns how many.
    public func expire() throws -> Int {
        try pool.withConnection { connection in
            try connection.run(
                """
                DELETE FROM idempotency_keys WHERE (account_id, key) IN (
                    SELECT account_id, key FROM idempotency_keys
                    WHERE created_at < now() - interval '24 hours' LIMIT 1000)
                """
            ).changed
        }
    }
}
