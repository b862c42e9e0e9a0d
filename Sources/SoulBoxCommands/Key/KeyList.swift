import ArgumentParser
import SoulBoxModel
import SoulBoxStore

/// `soulbox api-key list`.
struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys, without their secrets.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        let keys = try OperatorDatabase.use(options.instance) { pool in
            try KeyStore(pool).list(account: nil, page: Page(limit: 10_000)).items
        }
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
                "\(Identifier.text(.key, uuid: key.id))  \(key.name)  account \(key.account)  \(state)  last used "
                    + "\(key.lastUsedAt?.rfc3339 ?? "never")  \(key.permissions.map(\.rawValue).joined(separator: ","))"
            )
        }
    }
}
