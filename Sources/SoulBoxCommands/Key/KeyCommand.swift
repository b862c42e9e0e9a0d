import ArgumentParser

/// `soulbox api-key`: keys of the API.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-key", abstract: "Create, list, limit and revoke API keys.",
        subcommands: [KeyCreate.self, KeyList.self, KeyLimit.self, KeyRevoke.self])
}
