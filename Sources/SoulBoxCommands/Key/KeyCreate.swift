import ArgumentParser
import Foundation
import Postgres
import SoulBoxKeys
import SoulBoxModel
import SoulBoxStore

/// `soulbox api-key create`.
struct KeyCreate: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a key and show it, once.")

    @OptionGroup var options: InstanceOptions
    @Option(help: "A name, to know it again by.") var name: String
    @Option(help: "all, or a list such as execute,monitor_read.") var permissions = "execute"
    @Option(help: "The account that the key belongs to; made when there is none.") var account = "default"
    @Option(
        name: .customLong("rate-limit"),
        help: "Requests a minute of a class: standard=100, execution=20, upload=10; 0 is unlimited. May be repeated.")
    var rateLimits: [String] = []
    @Option(help: "When it ends, as 2027-01-31T12:00:00Z.") var expiresAt: String?
    @Flag(help: "Print the key alone.") var quiet = false

    func run() throws {
        let granted = try grantedPermissions()
        var limits = AccountKey.RateLimits()
        let given = try KeyLimit.parse(rateLimits)
        limits.standard = given[.standard] ?? limits.standard
        limits.execution = given[.execution] ?? limits.execution
        limits.upload = given[.upload] ?? limits.upload
        var expiry: Timestamp?
        if let expiresAt {
            guard let time = Timestamp(rfc3339: expiresAt) else {
                throw ValidationError("--expires-at is not a time: \(expiresAt)")
            }
            expiry = time
        }
        guard (1...200).contains(name.count), !name.utf8.contains(0) else {
            throw ValidationError("--name needs 1 to 200 characters")
        }
        let key = APIKey()
        try OperatorDatabase.use(options.instance) { pool in
            try KeyStore(pool).create(
                account: account, credential: key.credential, name: name, permissions: granted, limits: limits,
                expiresAt: expiry)
        }
        if quiet {
            print(key.text)
        } else {
            print("key         \(key.text)")
            print("id          \(Identifier.text(.key, uuid: key.credential.keyID))")
            print("permissions \(granted.map(\.rawValue).joined(separator: ","))")
            print("It is not shown again.")
        }
    }

    private func grantedPermissions() throws -> [Permission] {
        if permissions == "all" { return Permission.allCases }
        return try permissions.split(separator: ",").map { name in
            guard let permission = Permission(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw ValidationError(
                    "unknown permission \(name); known: all, "
                        + Permission.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return permission
        }
    }
}
