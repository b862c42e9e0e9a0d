import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Admission")
struct AdmissionTests {
    @Test("knows a good key, its account and permissions")
    func good() throws {
        let store = try StoreFixture(permissions: [.execute, .monitorRead])
        let expected = Caller(
            keyID: store.credential.keyID, accountID: store.account, permissions: [.execute, .monitorRead])
        #expect(try store.authenticate(store.credential, needs: nil) == .admitted(expected))
        #expect(try store.authenticate(store.credential, needs: .monitorRead) == .admitted(expected))
        #expect(
            try store.authenticate(store.credential, needs: .sandboxRead)
                == .forbidden(missing: .sandboxRead))
        #expect(store.account != store.stranger)
    }

    @Test("an administrator's key may do everything", arguments: Permission.allCases)
    func administrator(permission: Permission) throws {
        let store = try StoreFixture(permissions: [.admin])
        guard case .admitted = try store.authenticate(store.credential, needs: permission) else {
            Issue.record("not admitted")
            return
        }
    }

    @Test("refuses a wrong secret, an unknown key, and a key that has ended, all alike")
    func refused() throws {
        let store = try StoreFixture()
        var wrong = store.credential
        wrong.secretHash?[31] ^= 1
        #expect(try store.authenticate(wrong, needs: nil) == .unauthenticated)
        wrong.secretHash = []
        #expect(try store.authenticate(wrong, needs: nil) == .unauthenticated)
        #expect(try store.authenticate(StoreFixture.makeCredential(), needs: nil) == .unauthenticated)
        for (seconds, isGood) in [(-1, false), (3600, true)] {
            let credential = StoreFixture.makeCredential()
            let end = Timestamp(microseconds: Timestamp.now.microseconds + Int64(seconds) * 1_000_000)
            try store.keys.create(
                account: "ours", credential: credential, name: "ends", permissions: [.execute], limits: .init(),
                expiresAt: end)
            #expect((try store.authenticate(credential, needs: nil) != .unauthenticated) == isGood)
        }
        #expect(try store.keys.revoke(Identifier.text(.key, uuid: store.credential.keyID)))
        #expect(try store.authenticate(store.credential, needs: nil) == .unauthenticated)
    }

    @Test("notes an execution for a caller that may execute, and for no other")
    func notes() throws {
        let store = try StoreFixture(permissions: [.monitorRead])
        let new = NewExecution(
            id: Identifier.make(.execution), spec: StoreFixture.spec, createdAt: .now, owner: nil)
        #expect(try store.admit(store.credential, new: new) == .forbidden(missing: .execute))
        #expect(try store.admit(StoreFixture.makeCredential(), new: new) == .unauthenticated)
        #expect(try store.database.integer("SELECT count(*) FROM executions") == 0)
    }

    @Test("the same execution is noted once")
    func twice() throws {
        let store = try StoreFixture()
        let new = NewExecution(id: Identifier.make(.execution), spec: StoreFixture.spec, createdAt: .now, owner: nil)
        _ = try store.admit(store.credential, new: new)
        #expect(throws: (any Error).self) { try store.admit(store.credential, new: new) }
        #expect(try store.database.integer("SELECT count(*) FROM executions") == 1)
    }
}
