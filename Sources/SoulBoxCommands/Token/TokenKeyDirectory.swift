import Crypto
import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel

/// The keys that sign tokens, and the key that seals kept answers: files that only the service's user reads.
///
/// In files and not in the database, so that nobody who reads a backup of it can make tokens. Several machines that
/// serve one database need the same directory.
struct TokenKeyDirectory {
    /// How long a key before the newest still verifies: the life of the longest token, and a minute for clocks.
    static let overlapSeconds: Int64 = 960

    private let path: String

    init(_ instance: Instance) { path = instance.tokens }

    /// Makes the directory and what is missing in it.
    func prepare(_ account: ServiceAccount) throws {
        try Files.makeDirectory(path, mode: 0o700)
        try Files.setOwner(path, user: account.user, group: account.group)
        if !Files.exists(path + "/answers.seal") {
            try write("answers.seal", (0..<32).map { _ in UInt8.random(in: .min ... .max) }, account)
        }
        if try list().isEmpty { _ = try add(account) }
    }

    /// The keys, the oldest first.
    func list() throws -> [String] {
        try Files.list(path).filter { $0.hasSuffix(".key") }.map { String($0.dropLast(4)) }.sorted()
    }

    /// Adds a key that signs from now on, and removes those whose tokens have all ended. Returns its id.
    func add(_ account: ServiceAccount) throws -> String {
        // Keys before the newest were replaced when it was made: once that is long enough ago nothing needs them.
        let present = try list()
        if let newest = present.last, let made = TokenKeyDirectory.moment(newest),
            Timestamp.now.microseconds - made > TokenKeyDirectory.overlapSeconds * 1_000_000
        {
            for old in present.dropLast() { try FileManager.default.removeItem(atPath: "\(path)/\(old).key") }
        }
        let id = Identifier.body(Identifier.makeUUID())
        try write("\(id).key", Array(Curve25519.Signing.PrivateKey().rawRepresentation), account)
        return id
    }

    /// When a key was made, in microseconds since 1970: its id is a UUIDv7, which begins with the milliseconds.
    private static func moment(_ id: String) -> Int64? {
        Identifier.parseBody(id.utf8).map { $0.prefix(6).reduce(Int64(0)) { $0 << 8 | Int64($1) } * 1000 }
    }

    private func write(_ name: String, _ bytes: [UInt8], _ account: ServiceAccount) throws {
        try Files.writeAtomically("\(path)/\(name)", bytes, mode: 0o400)
        try Files.setOwner("\(path)/\(name)", user: account.user, group: account.group)
    }
}
