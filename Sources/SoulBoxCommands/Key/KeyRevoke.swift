import ArgumentParser
import SoulBoxStore

/// `soulbox api-key revoke`.
struct KeyRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a key, at once and for good.")

    @OptionGroup var options: InstanceOptions
    @Argument(help: "The key's id, as key_….") var id: String

    func run() throws {
        guard try OperatorDatabase.use(options.instance, { try KeyStore($0).revoke(id) }) else {
            throw OperatorError("no valid key of that id: \(id)", advice: "soulbox api-key list shows them.")
        }
        print("revoked \(id)")
    }
}
