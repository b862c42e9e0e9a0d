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

    @Test(
        "an execution is noted as by admit_execution(), of every state of a key, its account and permission, time after time",
        arguments: changes + ["execution_limit = 2", "execution_limit = 2, last_used_at = now()"])
    func execution(change: String) throws {
        let store = try StoreFixture()
        for quota in ["concurrent_executions_quota = NULL", "concurrent_executions_quota = 2", "cpu_seconds_quota = 0"]
        {
            for permissions in [[], [.execute], [.admin], [.monitorRead]] as [[Permission]] {
                let plain = try noted(store, change, quota, permissions, acting: nil)
                let asked = try noted(store, change, quota, permissions, acting: store.account)
                #expect(plain.admissions == asked.admissions, "\(quota) \(permissions)")
                #expect(plain.rows == asked.rows, "\(quota) \(permissions)")
            }
        }
    }

    /// What four requests of a new key were told, and what the database has of them afterwards.
    private func noted(
        _ store: StoreFixture, _ change: String, _ quota: String, _ permissions: [Permission], acting: [UInt8]?
    ) throws -> (admissions: [Admission], rows: [String]) {
        let credential = StoreFixture.makeCredential()
        try store.keys.create(
            account: "ours", credential: credential, name: "n", permissions: permissions, limits: .init(),
            expiresAt: nil)
        func run(_ statement: String) throws -> [String] {
            try store.pool.withConnection {
                try $0.run(statement, [.uuid(credential.keyID)]).rows.map { row throws in try row.text("said") }
            }
        }
        if !change.isEmpty { _ = try run("UPDATE api_keys SET \(change) WHERE id = $1") }
        _ = try run("UPDATE accounts SET \(quota) WHERE id = (SELECT account_id FROM api_keys WHERE id = $1)")
        // Of a network of its own: failures are counted for each.
        let ticket = Ticket(
            credential: credential, permission: .execute, rateClass: .execution,
            address: "2001:db8:0:\(String(UInt16.random(in: 1 ... .max), radix: 16))::1", acting: acting,
            requestID: "req_7"
        )
        let owner = Identifier.makeUUID()
        let admissions = try (0..<4).map { _ in
            var admission = try store.executions.admit(
                ticket,
                new: NewExecution(
                    id: Identifier.make(.execution), spec: StoreFixture.spec, createdAt: .now, owner: owner))
            // Two keys that are alike are told apart by nothing else; a minute may end between them, and so may a day.
            admission.rate?.resetAt = 0
            switch admission.outcome {
            case .admitted(var caller):
                caller.keyID = []
                admission.outcome = .admitted(caller)
            case .quota(let name, _): admission.outcome = .quota(name: name, retryAfterSeconds: 0)
            default: break
            }
            return admission
        }
        let rows =
            try run(
                """
                SELECT concat_ws(' ', account_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores,
                    process_limit, spec, now() - created_at < interval '1 minute') AS said
                FROM executions WHERE key_id = $1
                """)
            + run(
                """
                SELECT concat_ws(' ', a.account_id, a.request_id, a.method, a.path, a.status, a.address << '2001:db8::/32',
                    e.owner IS NOT NULL) AS said
                FROM audit_log a JOIN executions e ON e.id = a.id WHERE a.key_id = $1
                """)
            + run("SELECT concat_ws(' ', class, count) AS said FROM rate_counts WHERE subject = $1")
            + run(
                "SELECT coalesce(last_used_at > now() - interval '10 seconds', false)::text AS said FROM api_keys WHERE id = $1"
            )
        // What runs counts against the next key's account.
        _ = try run("DELETE FROM executions WHERE key_id = $1")
        return (admissions, rows)
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
