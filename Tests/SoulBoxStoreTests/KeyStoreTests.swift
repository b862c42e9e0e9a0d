import Postgres
import SoulBoxModel
import TestDatabase
import Testing

@testable import SoulBoxStore

@Suite("Keys and processes")
struct KeyStoreTests {
    @Test("lists keys with what was given, and makes an account once")
    func list() throws {
        let store = try StoreFixture()
        let credential = StoreFixture.makeCredential()
        let end = Timestamp(microseconds: 1_900_000_000_000_000)
        var limits = AccountKey.RateLimits()
        limits.execution = 0
        try store.keys.create(
            account: "ours", credential: credential, name: "žluť \"'", permissions: [.execute, .alertWrite],
            limits: limits,
            expiresAt: end)
        let id = credential.keyID
        let key = try #require(try store.keys.list(account: nil, page: Page(limit: 1000)).items.first { $0.id == id })
        #expect(key.account == "ours")
        #expect(key.name == "žluť \"'")
        #expect(key.permissions == [.execute, .alertWrite])
        #expect(key.expiresAt == end)
        #expect(key.revokedAt == nil)
        #expect(key.lastUsedAt == nil)
        #expect(try store.database.integer("SELECT count(*) FROM accounts") == 2)
        #expect(
            try store.database.integer(
                "SELECT count(*) FROM api_keys WHERE execution_limit = 0 AND standard_limit = 100 AND upload_limit = 10"
            ) == 1)
        _ = try store.authenticate(credential, needs: nil)
        #expect(
            try store.keys.list(account: nil, page: Page(limit: 1000)).items.first { $0.id == id }?.lastUsedAt != nil)
    }

    @Test("revokes a key once")
    func revoke() throws {
        let store = try StoreFixture()
        let id = Identifier.text(.key, uuid: store.credential.keyID)
        #expect(try store.keys.revoke(id))
        let moment = try #require(
            try store.keys.list(account: nil, page: Page(limit: 1000)).items.first { $0.id == store.credential.keyID }?
                .revokedAt)
        #expect(try !store.keys.revoke(id))
        #expect(
            try store.keys.list(account: nil, page: Page(limit: 1000)).items.first { $0.id == store.credential.keyID }?
                .revokedAt == moment)
        for unknown in [Identifier.make(.key), Identifier.make(.execution), "", "key_'; DROP TABLE api_keys; --"] {
            #expect(try !store.keys.revoke(unknown))
        }
    }

    @Test(
        "tells which credentials are good still: not those of secrets that were replaced, of keys that are revoked or over"
    )
    func stillGood() throws {
        let store = try StoreFixture()
        let old = store.credential
        let token = Credential(tokenOf: old.keyID, only: [.execute])
        let other = StoreFixture.makeCredential()
        try store.keys.create(
            account: "ours", credential: other, name: "n", permissions: [.execute], limits: .init(), expiresAt: nil)
        let replaced = Credential(keyID: old.keyID, secretHash: StoreFixture.makeCredential().secretHash ?? [])
        func good() throws -> Set<Credential> {
            try store.keys.good(among: [old, token, other, replaced, StoreFixture.makeCredential()])
        }
        #expect(try good() == [old, token, other])
        func rotate(_ hash: [UInt8], overlap: Int64) throws {
            try store.pool.withConnection { connection in
                try connection.transaction {
                    _ = try store.keys.rotate(
                        Credential(keyID: old.keyID, secretHash: hash), account: store.caller([]).accountID,
                        overlapSeconds: overlap, in: StoreTransaction(connection: $0))
                }
            }
        }
        try rotate(replaced.secretHash ?? [], overlap: 60)
        #expect(try good() == [old, replaced, token, other])
        try rotate(StoreFixture.makeCredential().secretHash ?? [], overlap: 0)
        #expect(try good() == [token, other])
        try store.database.run("UPDATE api_keys SET expires_at = now() WHERE name = 'n'")
        #expect(try good() == [token])
        #expect(try store.keys.revoke(Identifier.text(.key, uuid: old.keyID)))
        #expect(try good().isEmpty && store.keys.good(among: []).isEmpty)
    }

    @Test("a key that cannot be made leaves no account")
    func atomic() throws {
        let store = try StoreFixture()
        #expect(throws: (any Error).self) {
            try store.keys.create(
                account: "new", credential: Credential(keyID: Identifier.makeUUID(), secretHash: [1]), name: "n",
                permissions: [], limits: .init(), expiresAt: nil)
        }
        #expect(try store.database.integer("SELECT count(*) FROM accounts") == 2)
    }

    @Test("a process is known from its start to its end")
    func processes() throws {
        let store = try StoreFixture()
        let id = try store.processes.register(kind: "worker")
        try store.database.run("UPDATE processes SET heartbeat_at = now() - interval '20 s'")
        try store.processes.heartbeat(id)
        #expect(
            try store.database.integer("SELECT count(*) FROM processes WHERE heartbeat_at > now() - interval '5 s'")
                == 1)
        #expect(try store.processes.expire() == 0)
        _ = try store.processes.register(kind: "scheduler")
        try store.database.run("UPDATE processes SET heartbeat_at = now() - interval '2 days' WHERE kind = 'scheduler'")
        #expect(try store.processes.expire() == 1)
        try store.processes.unregister(id)
        #expect(try store.database.integer("SELECT count(*) FROM processes") == 0)
    }
}
