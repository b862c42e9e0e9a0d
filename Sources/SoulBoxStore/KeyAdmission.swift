internal import Postgres
internal import SoulBoxModel

/// What `admit()` does for a key that works for its own account, which is nearly every request, as plain statements.
///
/// PL/pgSQL starts an executor for each statement of a function, and so does a common table expression that may write: a look at
/// the key, with what is asked for joined to it, costs the server half. Whoever has a limit is counted by a second statement.
/// The rules are those of `admit()`, in its order; a test holds the two against each other. Without a good key `admit()`
/// itself is asked, which counts failures.
enum KeyAdmission {
    /// Whether a ticket is of that kind: no token, nobody else's account.
    static func serves(_ ticket: Ticket) -> Bool {
        ticket.acting == nil && ticket.credential.only == nil && ticket.credential.secretHash != nil
    }

    /// The arguments, as `$1` to `$3`.
    static func parameters(_ ticket: Ticket) -> [PostgresParameter] {
        [
            .uuid(ticket.credential.keyID), PostgresParameter(bytes: ticket.credential.secretHash),
            .text(ticket.rateClass.rawValue),
        ]
    }

    /// What is selected of a key `k`.
    static let columns = """
        k.account_id AS account, k.permissions AS granted,
        CASE $3 WHEN 'standard' THEN k.standard_limit WHEN 'execution' THEN k.execution_limit
            WHEN 'upload' THEN k.upload_limit END AS allowed,
        coalesce(k.last_used_at < clock_timestamp() - interval '1 minute', true) AS is_stale
        """

    /// Whether a key `k` is the caller's and good.
    static let isGood = """
        k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
            AND (k.secret_hash = $2 OR (k.previous_hash = $2 AND k.previous_until > clock_timestamp()))
        """

    /// What counts one more request; `values` gives subject, class, minute and 1. A request that waited for its turn over the end
    /// of a minute counts for the later one.
    static func count(_ values: String) -> String {
        """
        INSERT INTO rate_counts AS r (subject, class, minute, count)
        \(values)
        ON CONFLICT (subject, class) DO UPDATE SET
            count = CASE WHEN r.minute >= excluded.minute THEN least(r.count + 1, 1000000000) ELSE 1 END,
            minute = greatest(r.minute, excluded.minute)
        RETURNING r.count, r.minute
        """
    }

    /// The minute that is now, as minutes since 1970.
    static let minute = "floor(extract(epoch FROM clock_timestamp()) / 60)::bigint"

    private static let countRequest = count("VALUES ($1, $2, \(minute), 1)")

    /// To the minute: a write for each request would cost more than it tells.
    private static let touch = """
        UPDATE api_keys SET last_used_at = clock_timestamp()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
        """

    /// Counts the request of a good key, notes that the key is used, and looks at what it may do.
    static func admission(
        _ row: PostgresRow, _ ticket: Ticket, _ connection: PostgresConnection
    ) throws(PostgresError) -> Admission {
        var counted: PostgresRow?
        if try row.integer("allowed") > 0 {
            counted = try connection.run(
                countRequest, [.uuid(ticket.credential.keyID), .text(ticket.rateClass.rawValue)]
            ).first
        }
        return try admission(row, counted: counted, ticket, connection)
    }

    /// Notes that a good key is used, and looks at what it may do.
    ///
    /// - Parameter counted: What `count` returned; nil for a key without a limit.
    static func admission(
        _ row: PostgresRow, counted: PostgresRow?, _ ticket: Ticket, _ connection: PostgresConnection
    ) throws(PostgresError) -> Admission {
        let allowed = Int(try row.integer("allowed"))
        var rate: RateState?
        if allowed > 0 {
            guard let counted else { throw PostgresError(.decoding, "no count") }
            let number = Int(try counted.integer("count"))
            rate = RateState(
                limit: allowed, remaining: max(allowed - number, 0),
                resetAt: (try counted.integer("minute") + 1) * 60)
            if number > allowed { return Admission(.limited, rate: rate) }
        }
        if try row.bool("is_stale") { try connection.run(touch, [.uuid(ticket.credential.keyID)]) }
        let caller = Caller(
            keyID: ticket.credential.keyID, accountID: try row.bytes("account"),
            permissions: Permission.set(of: try row.textArray("granted")))
        if let needed = ticket.permission, !caller.may(needed) {
            return Admission(.forbidden(missing: needed), rate: rate)
        }
        return Admission(.admitted(caller), rate: rate)
    }
}
