import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

/// The plain statement that lets keys in, held against the function `admit()`: the same keys go to the function when they
/// name their own account.
@Suite("Admission of keys")
struct KeyAdmissionTests {
    private static let changes = [
        "", "revoked_at = now()", "expires_at = clock_timestamp()",
        "expires_at = clock_timestamp() + interval '1 hour'",
        "secret_hash = sha256('other')", "secret_hash = sha256('other'), previous_hash = secret_hash",
        "secret_hash = sha256('other'), previous_hash = secret_hash, previous_until = clock_timestamp()",
        "secret_hash = sha256('new'), previous_hash = secret_hash, previous_until = clock_timestamp() + interval '1 hour'",
        "previous_hash = sha256('old'), previous_until = clock_timestamp() + interval '1 hour'",
        "standard_limit = 1", "standard_limit = 0, execution_limit = 0", "upload_limit = 2", "last_used_at = NULL",
    ]

    @Test("says what admit() says, of every state of a key, permission and class, time after time", arguments: changes)
    func alike(change: String) throws {
        let store = try StoreFixture()
        for permissions in [[], [.execute], [.admin], [.execute, .monitorRead]] as [[Permission]] {
            for rateClass in [RateClass.standard, .execution, .upload] {
                for needed in [nil, .execute, .monitorRead, .admin] as [Permission?] {
                    var said: [[Admission]] = []
                    for acting in [nil, store.account] {
                        let credential = StoreFixture.makeCredential()
                        try store.keys.create(
                            account: "ours", credential: credential, name: "n", permissions: permissions,
                            limits: .init(), expiresAt: nil)
                        if !change.isEmpty {
                            _ = try store.pool.withConnection {
                                try $0.run("UPDATE api_keys SET \(change) WHERE id = $1", [.uuid(credential.keyID)])
                            }
                        }
                        let ticket = Ticket(
                            credential: credential, permission: needed, rateClass: rateClass, acting: acting)
                        said.append(
                            try (0..<3).map { _ in
                                var admission = try store.executions.admit(ticket)
                                // Two keys that are alike are told apart by nothing else, and a minute may end between them.
                                admission.rate?.resetAt = 0
                                if case .admitted(var caller) = admission.outcome {
                                    caller.keyID = []
                                    admission.outcome = .admitted(caller)
                                }
                                return admission
                            })
                    }
                    #expect(said[0] == said[1], "\(permissions) \(rateClass) \(String(describing: needed))")
                }
            }
        }
    }

    @Test("a request that waited over the end of a minute counts for the later one; the use of a key is noted")
    func counts() throws {
        let store = try StoreFixture()
        let credential = StoreFixture.makeCredential()
        try store.keys.create(
            account: "ours", credential: credential, name: "n", permissions: [.execute], limits: .init(), expiresAt: nil
        )
        let ticket = Ticket(credential: credential, permission: nil)
        #expect(try store.executions.admit(ticket).rate?.remaining == 99)
        func change(_ statement: String) throws {
            _ = try store.pool.withConnection { try $0.run(statement, [.uuid(credential.keyID)]) }
        }
        try change("UPDATE rate_counts SET minute = minute + 2, count = 7 WHERE subject = $1")
        let later = try store.executions.admit(ticket)
        let now = Timestamp.now.microseconds / 1_000_000
        #expect(later.rate?.remaining == 92 && (later.rate?.resetAt ?? 0) > now + 60)
        try change("UPDATE rate_counts SET minute = minute - 10 WHERE subject = $1")
        #expect(try store.executions.admit(ticket).rate?.remaining == 99)
        let used = "SELECT count(*) FROM api_keys WHERE last_used_at > now() - interval '10 seconds'"
        let before = try #require(try store.database.integer(used))
        try change("UPDATE api_keys SET last_used_at = now() - interval '2 minutes' WHERE id = $1")
        #expect(try store.database.integer(used) == before - 1)
        _ = try store.executions.find("exec_nonsense", ticket)
        #expect(try store.database.integer(used) == before)
    }

    @Test("of parallel requests exactly as many pass as the limit says")
    func parallel() async throws {
        let store = try StoreFixture()
        let credential = StoreFixture.makeCredential()
        var limits = AccountKey.RateLimits()
        limits.standard = 20
        try store.keys.create(
            account: "ours", credential: credential, name: "n", permissions: [], limits: limits, expiresAt: nil)
        let ticket = Ticket(credential: credential, permission: nil)
        // A minute that ends meanwhile lets as many pass once more.
        let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask { if case .admitted = try store.executions.admit(ticket).outcome { true } else { false } }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(
            passed == 20 || passed == 40
                || (21...39).contains(passed) && Timestamp.now.microseconds % 60_000_000 < 5_000_000)
    }
}
