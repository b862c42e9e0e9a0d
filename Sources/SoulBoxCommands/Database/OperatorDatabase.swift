import Postgres

/// The database as the operator's commands reach it.
enum OperatorDatabase {
    /// How libpq reaches the instance's database.
    static func url(_ instance: Instance) throws -> String {
        try OperatorConfiguration.load(instance).database ?? PrivateCluster(instance).connection
    }

    /// Runs `body` with a pool of one connection.
    static func use<Value>(_ instance: Instance, _ body: (PostgresPool) throws -> Value) throws -> Value {
        do {
            return try body(PostgresPool(try url(instance), size: 1))
        } catch let error as PostgresError where error.kind == .connection {
            throw OperatorError("the database does not answer: \(error)", advice: "Is the stack up? soulbox status")
        }
    }
}
