import Foundation
import Glibc

/// The system user that workers and the scheduler run as.
struct ServiceAccount {
    let user: UInt32
    let group: UInt32

    /// A user of the system's.
    static func find(_ name: String) -> ServiceAccount? {
        guard let entry = getpwnam(name) else { return nil }
        return ServiceAccount(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    }

    /// The user `soulbox`, made when it is missing.
    static func ensure() throws -> ServiceAccount {
        if let account = find("soulbox") { return account }
        try Tool(
            "/usr/sbin/useradd",
            [
                "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                "--shell", "/usr/sbin/nologin", "soulbox",
            ]
        ).run(advice: "Make a system user named soulbox by hand.")
        guard let account = find("soulbox") else {
            throw OperatorError("the user soulbox is missing", advice: "Make a system user named soulbox by hand.")
        }
        return account
    }

    /// A user that a Debian package makes.
    static func require(_ name: String, package: String) throws -> ServiceAccount {
        guard let account = find(name) else {
            throw OperatorError("the user \(name) is missing", advice: "apt-get install \(package)")
        }
        return account
    }
}
