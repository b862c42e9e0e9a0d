public import Postgres

/// The counts of requests and of failed authentications; the functions that admit requests write them.
public struct LimitStore: Sendable {
    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Forgets counts of minutes that are over. Returns how many.
    public func expire() throws -> Int {
        try pool.withConnection { connection in
            var forgotten = 0
            for table in ["rate_counts", "failed_authentications"] {
                forgotten += try connection.run(
                    "DELETE FROM \(table) WHERE minute < floor(extract(epoch FROM clock_timestamp()) / 60) - 5"
                ).changed
            }
            return forgotten
        }
    }
}
