import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Limits")
struct LimitTests {
    private func ticket(_ credential: Credential, _ address: String, _ rateClass: RateClass = .standard) -> Ticket {
        Ticket(credential: credential, permission: nil, rateClass: rateClass, address: address, requestID: "req_test")
    }

    @Test("counts each class of a key apart, and gives back what is left")
    func classes() throws {
        let store = try StoreFixture()
        let credential = StoreFixture.makeCredential()
        var limits = AccountKey.RateLimits()
        limits.standard = 3
        try store.keys.create(
            account: "ours", credential: credential, name: "n", permissions: [.execute], limits: limits, expiresAt: nil)
        var left: [Int?] = []
        var outcomes: [Bool] = []
        for _ in 0..<4 {
            let admission = try store.executions.admit(ticket(credential, ""))
            left.append(admission.rate?.remaining)
            outcomes.append(admission.outcome == .limited)
        }
        // A minute may end in between; then the count begins anew.
        #expect(left == [2, 1, 0, 0] && outcomes == [false, false, false, true] || left.contains(2))
        #expect(try store.executions.admit(ticket(credential, "", .upload)).rate?.limit == 10)
        let id = Identifier.text(.key, uuid: credential.keyID)
        #expect(try store.keys.limit(id, standard: 0, execution: nil, upload: nil))
        #expect(try store.executions.admit(ticket(credential, "")).rate == nil)
        #expect(try !store.keys.limit(Identifier.make(.key), standard: 1, execution: 1, upload: 1))
    }

    @Test("failures of a network of IPv6 count together; what is over is forgotten")
    func networks() throws {
        let store = try StoreFixture()
        for number in 0..<80 {
            _ = try store.executions.admit(ticket(StoreFixture.makeCredential(), "2001:db8::\(number)"))
            _ = try store.executions.admit(ticket(StoreFixture.makeCredential(), "192.0.2.\(number)"))
        }
        let count = "SELECT count(*) FROM failed_authentications WHERE"
        #expect(try store.database.integer("\(count) family(address) = 6") == 1)
        #expect(try store.database.integer("\(count) family(address) = 4") == 80)
        let counts = LimitStore(store.pool)
        #expect(try counts.expire() == 0)
        _ = try store.pool.withConnection { try $0.run("UPDATE failed_authentications SET minute = minute - 10") }
        #expect(try counts.expire() == 81)
    }

    @Test("a token allows no more than its key, and ends with it")
    func tokens() throws {
        let store = try StoreFixture(permissions: [.execute])
        func admit(_ only: Set<Permission>, _ needs: Permission?) throws -> Admission.Outcome {
            let credential = Credential(tokenOf: store.credential.keyID, only: only)
            return try store.executions.admit(Ticket(credential: credential, permission: needs)).outcome
        }
        #expect(try admit([.monitorRead], nil) == .admitted(store.caller([])))
        #expect(try admit([.execute, .admin], .execute) == .admitted(store.caller([.execute])))
        #expect(try admit([.admin], .admin) == .forbidden(missing: .admin))
        #expect(try admit([], .execute) == .forbidden(missing: .execute))
        _ = try store.keys.revoke(Identifier.text(.key, uuid: store.credential.keyID))
        #expect(try admit([.execute], nil) == .unauthenticated)
    }

    @Test("a caller of another issuer has one key and one account, with what its token allows now")
    func external() throws {
        let store = try StoreFixture()
        let first = try store.keys.external(issuer: "https://id", subject: "ada", permissions: [.execute])
        #expect(try store.keys.external(issuer: "https://id", subject: "ada", permissions: [.monitorRead]) == first)
        #expect(try store.keys.external(issuer: "https://id", subject: "bob", permissions: [.execute]) != first)
        let credential = Credential(tokenOf: first, only: [.execute, .monitorRead])
        let outcome = try store.executions.admit(Ticket(credential: credential, permission: nil)).outcome
        guard case .admitted(let caller) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(caller.permissions == [.monitorRead] && caller.accountID != store.account)
        // Nobody knows its secret, so no key leads to it.
        let guess = Credential(keyID: first, secretHash: [UInt8](repeating: 0, count: 32))
        #expect(try store.authenticate(guess, needs: nil) == .unauthenticated)
    }

    @Test("a change is made once for a key, and its answer is kept as it was sealed")
    func once() throws {
        let store = try StoreFixture()
        let idempotency = IdempotencyStore(store.pool)
        let entry = AuditEntry(
            accountID: store.account, keyID: nil, requestID: "r", address: "", method: "POST", path: "/p", status: 201)
        var entries = 0
        func once(_ hash: UInt8) throws -> IdempotencyStore.Outcome {
            var entry = entry
            entry.id = Identifier.makeUUID()
            return try idempotency.once(
                account: store.account,
                idempotency: Idempotency(key: "k", requestHash: [UInt8](repeating: hash, count: 32)),
                audit: entry, seal: { $0.reversed() }
            ) { _ in
                entries += 1
                return [1, 2, 3]
            }
        }
        #expect(try once(1) == .fresh([1, 2, 3]))
        #expect(try once(1) == .repeated([3, 2, 1]))
        #expect(try once(2) == .mismatched)
        #expect(entries == 1)
        #expect(try store.database.integer("SELECT count(*) FROM audit_log") == 1)
        #expect(try idempotency.expire() == 0)
    }
}
