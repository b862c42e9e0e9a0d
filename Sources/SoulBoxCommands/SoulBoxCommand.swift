public import ArgumentParser

/// `soulbox`, the operator's command.
public struct SoulBoxCommand: ParsableCommand {
    /// What `soulbox help` shows.
    public static let configuration = CommandConfiguration(
        commandName: "soulbox", abstract: "Runs code in secure sandboxes behind a REST API.",
        version: SoulBoxVersion.text,
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, DoctorCommand.self, MigrateCommand.self,
            KeyCommand.self, TokenKeyCommand.self, ImageCommand.self, SnapshotCommand.self, DemoCommand.self,
        ])

    /// Made by ArgumentParser.
    public init() {}
}
