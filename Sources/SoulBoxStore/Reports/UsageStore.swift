public import Postgres

/// Adds up what executions have used.
public struct UsageStore: Sendable {
    /// How long a statement of this store waits for a table that reports are reading, in milliseconds.
    private static let lockMilliseconds = 2000

    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Moves at most so many ended executions into the sums, all or none. Returns how many; 0 also while another process
    /// does it.
    public func rollUp(most: Int) throws -> Int {
        try pool.withConnection { connection in
            let row = try connection.run("SELECT roll_up_usage($1::integer) AS moved", [PostgresParameter(most)]).first
            guard let row else { throw PostgresError(.decoding, "no count") }
            return Int(try row.integer("moved"))
        }
    }

    /// Makes the partitions of the coming months, and drops those that are older than so many months. Returns how many
    /// were dropped.
    public func keepPartitions(months: Int) throws -> Int {
        try pool.withConnection { connection in
            try connection.transaction { connection in
                // Whoever waits for such a lock lets everybody else wait behind it.
                try connection.run(
                    "SELECT set_config('lock_timeout', $1, true)", [.text(String(UsageStore.lockMilliseconds))])
                let row = try connection.run(
                    "SELECT keep_usage_partitions($1::integer) AS dropped", [PostgresParameter(months)]
                ).first
                guard let row else { throw PostgresError(.decoding, "no count") }
                return Int(try row.integer("dropped"))
            }
        }
    }
}
