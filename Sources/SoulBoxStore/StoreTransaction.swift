internal import Postgres

/// Several changes that happen together or not at all.
public struct StoreTransaction {
    let connection: PostgresConnection
}
