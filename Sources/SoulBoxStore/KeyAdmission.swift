internal import Postgres
internal import SoulBoxModel

/// What `admit()` does for a key that works for its own account, which is nearly every request, as one plain statement.
///
/// PL/pgSQL starts an executor for each statement of a function: together they cost more than twice what all the rest of a short
/// request costs the server. The rules are those of `admit()`, in its order; a test holds the two against each other.
/// Whoever is not let in by a good key goes to `admit()` itself, which counts failures.
enum KeyAdmission {
    /// Whether a ticket is of that kind: no token, nobody else's account.
    static func serves(_ ticket: Ticket) -> Bool {
        ticket.acting == nil && ticket.credential.only == nil && ticket.credential.secretHash != nil
    }

    /// The arguments, as `$1` to `$4`.
    static func parameters(_ ticket: Ticket) -> [PostgresParameter] {
        [
            .uuid(ticket.credential.keyID), PostgresParameter(bytes: ticket.credential.secretHash),
            PostgresParameter(ticket.permission?.rawValue), .text(ticket.rateClass.rawValue),
        ]
    }

    /// The common table expression `a`, with the columns of `admit()` and `is_stale`; no row where the key is not good.
    ///
    /// A request that waited for its turn over the end of a minute counts for the later one.
    static let table = """
        WITH k AS MATERIALIZED (
            SELECT id, account_id, permissions, last_used_at, CASE $4
                WHEN 'standard' THEN standard_limit
                WHEN 'execution' THEN execution_limit
                WHEN 'upload' THEN upload_limit END AS allowed
            FROM api_keys
            WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
                AND (secret_hash = $2 OR (previous_hash = $2 AND previous_until > clock_timestamp()))
        ), c AS (
            INSERT INTO rate_counts AS r (subject, class, minute, count)
            SELECT id, $4, floor(extract(epoch FROM clock_timestamp()) / 60)::bigint, 1 FROM k WHERE allowed > 0
            ON CONFLICT (subject, class) DO UPDATE SET
                count = CASE WHEN r.minute >= excluded.minute THEN least(r.count + 1, 1000000000) ELSE 1 END,
                minute = greatest(r.minute, excluded.minute)
            RETURNING r.count, r.minute
        ), a AS (
            SELECT k.account_id AS account, k.permissions AS granted, nullif(k.allowed, 0) AS rate_limit,
                greatest(k.allowed - c.count, 0) AS rate_remaining, (c.minute + 1) * 60 AS rate_reset, $3 AS missing,
                coalesce(k.last_used_at < clock_timestamp() - interval '1 minute', true) AS is_stale,
                CASE
                    WHEN c.count > k.allowed THEN 'limited'
                    WHEN $3::text IS NULL OR $3 = ANY (k.permissions) OR 'admin' = ANY (k.permissions) THEN 'admitted'
                    ELSE 'forbidden' END AS outcome
            FROM k LEFT JOIN c ON true
        )
        """

    private static let touch = """
        UPDATE api_keys SET last_used_at = clock_timestamp()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
        """

    /// Reads a row of `a`, and notes that the key is used: to the minute, since a write for each request would cost more than
    /// it tells.
    static func admission(
        _ row: PostgresRow, _ ticket: Ticket, _ connection: PostgresConnection
    ) throws(PostgresError) -> Admission {
        let admission = try ticket.admission(row)
        if admission.outcome != .limited, try row.bool("is_stale") {
            try connection.run(touch, [.uuid(ticket.credential.keyID)])
        }
        return admission
    }
}
