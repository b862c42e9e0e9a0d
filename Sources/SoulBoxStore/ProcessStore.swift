public import Postgres
internal import SoulBoxModel

/// The workers and schedulers that live.
public struct ProcessStore: Sendable {
    private let pool: PostgresPool

    /// A store over that pool.
    public init(_ pool: PostgresPool) { self.pool = pool }

    /// Notes a new process; its identifier owns executions.
    public func register(kind: String) throws -> [UInt8] {
        let id = Identifier.makeUUID()
        try pool.withConnection { connection in
            _ = try connection.run("INSERT INTO processes (id, kind) VALUES ($1, $2)", [.uuid(id), .text(kind)])
        }
        return id
    }

    /// Says that it lives.
    public func heartbeat(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run("UPDATE processes SET heartbeat_at = now() WHERE id = $1", [.uuid(id)])
        }
    }

    /// How many seconds ago a process of that kind last said that it lives; nil when there is none.
    public func silence(kind: String) throws -> Double? {
        try pool.withConnection { connection in
            try connection.run(
                """
                SELECT extract(epoch FROM now() - max(heartbeat_at))::double precision AS seconds
                FROM processes WHERE kind = $1
                """, [.text(kind)]
            ).first?.optionalNumber("seconds")
        }
    }

    /// Takes it off the list.
    public func unregister(_ id: [UInt8]) throws {
        try pool.withConnection { connection in
            _ = try connection.run("DELETE FROM processes WHERE id = $1", [.uuid(id)])
        }
    }

    /// Forgets processes that died long ago. Returns how many.
    public func expire() throws -> Int {
        try pool.withConnection { connection in
            try connection.run("DELETE FROM processes WHERE heartbeat_at < now() - interval '1 day'").changed
        }
    }
}
