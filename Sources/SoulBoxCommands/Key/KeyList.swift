import ArgumentParser
import SoulBoxModel
import SoulBoxStore

/// `soulbox api-key list`.
struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys, without their secrets.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        let keys = try OperatorDatabase.use(options.instance) { try KeyStore($0).list() }
        for key in keys {
            let state =
                if let revoked = key.revokedAt {
                    "revoked \(revoked.rfc3339)"
                } else if let expires = key.expiresAt {
                    "expires \(expires.rfc3339)"
                } else {
                    "valid"
                }
            print(
                "\(key.id)  \(key.name)  account \(key.account)  \(state)  last used "
                    + "\(key.lastUsedAt?.rfc3339 ?? "never")  \(key.permissions.joined(separator: ","))")
        }
    }
}
