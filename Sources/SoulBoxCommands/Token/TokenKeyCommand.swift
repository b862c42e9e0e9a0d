import ArgumentParser

/// `soulbox token-key`: the keys that sign tokens.
struct TokenKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token-key", abstract: "List and rotate the keys that sign tokens.",
        subcommands: [List.self, Rotate.self])

    /// `soulbox token-key list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys; the last one signs.")

        @OptionGroup var options: InstanceOptions

        func run() throws {
            for id in try TokenKeyDirectory(options.instance).list() { print(id) }
        }
    }

    /// `soulbox token-key rotate`.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign with a new key; tokens of the one before stay good until they end.")

        @OptionGroup var options: InstanceOptions

        func run() throws {
            print(try TokenKeyDirectory(options.instance).add(try ServiceAccount.ensure()))
        }
    }
}
