import ArgumentParser

/// `soulbox migrate`: brings the database to the newest version. `soulbox up` does so by itself.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Apply the database migrations that are not applied yet.")

    @OptionGroup var options: InstanceOptions
    @Flag(help: "Only say what would be applied.") var dryRun = false

    func run() throws {
        let names = try Migration.run(OperatorDatabase.url(options.instance), options.instance, dryRun: dryRun)
        if names.isEmpty { print("the database is up to date") }
        for name in names { print((dryRun ? "would apply " : "applied ") + name) }
    }
}
