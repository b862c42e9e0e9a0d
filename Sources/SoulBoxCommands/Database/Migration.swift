import Postgres

/// Brings the database to the newest version.
enum Migration {
    /// Applies what is missing, or only names it.
    @discardableResult
    static func run(_ database: String, _ instance: Instance, dryRun: Bool = false) throws -> [String] {
        let directory = try ProjectFiles.directory("migrations", instance)
        do {
            return try Migrator(directory: directory).migrate(database, dryRun: dryRun)
        } catch let error as PostgresError {
            throw OperatorError(
                "the database cannot be migrated: \(error) \(error.serverMessage ?? "")",
                advice: "The migrations are in \(directory).")
        }
    }
}
