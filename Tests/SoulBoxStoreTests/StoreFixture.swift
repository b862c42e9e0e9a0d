import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase

/// The stores over a database of the test's own, with a key in each of two accounts.
struct StoreFixture {
    let database: TestDatabase
    let pool: PostgresPool
    let executions: ExecutionStore
    let processes: ProcessStore
    let keys: KeyStore
    let credential: Credential
    let account: [UInt8]
    let stranger: [UInt8]

    init(permissions: [Permission] = [.execute]) throws {
        database = try TestDatabase.withTables()
        pool = PostgresPool(database.url, size: 8)
        executions = ExecutionStore(pool)
        var unlimited = AccountKey.RateLimits()
        (unlimited.standard, unlimited.execution, unlimited.upload) = (0, 0, 0)
        processes = ProcessStore(pool)
        keys = KeyStore(pool)
        credential = StoreFixture.makeCredential()
        try keys.create(
            account: "ours", credential: credential, name: "ours", permissions: permissions, limits: unlimited,
            expiresAt: nil)
        let other = StoreFixture.makeCredential()
        try keys.create(
            account: "others", credential: other, name: "others", permissions: [.admin], limits: unlimited,
            expiresAt: nil
        )
        account = try StoreFixture.account(executions.admit(Ticket(credential: credential, permission: nil)).outcome)
        stranger = try StoreFixture.account(executions.admit(Ticket(credential: other, permission: nil)).outcome)
    }

    static func makeCredential() -> Credential {
        Credential(keyID: Identifier.makeUUID(), secretHash: (0..<32).map { _ in UInt8.random(in: 0 ... .max) })
    }

    private static func account(_ admission: Admission.Outcome) throws -> [UInt8] {
        guard case .admitted(let caller) = admission else { throw PostgresError(.decoding, "\(admission)") }
        return caller.accountID
    }

    static let spec = ExecutionSpec(
        runtime: .rust, template: "basic-rust", entrypoint: "main.rs", code: "fn main() {} // \u{0}ž",
        files: [InputFile(path: "a/b.bin", contents: [0, 255, 10])], arguments: ["", "-x", "\"'"],
        environment: [.init(name: "A", value: "1=2"), .init(name: "B", value: "")], stdin: "line\n",
        limits: ExecutionLimits(timeoutMilliseconds: 1500, memoryBytes: 3 << 30, cpuMillicores: 2500, processes: 7))

    /// The fixture's caller with those permissions.
    func caller(_ permissions: Set<Permission>) -> Caller {
        Caller(keyID: credential.keyID, accountID: account, permissions: permissions)
    }

    /// What the database says of a credential.
    func authenticate(_ credential: Credential, needs permission: Permission?) throws -> Admission.Outcome {
        try executions.admit(Ticket(credential: credential, permission: permission)).outcome
    }

    /// What the database says of a new execution.
    func admit(_ credential: Credential, new: NewExecution) throws -> Admission.Outcome {
        let ticket = Ticket(credential: credential, permission: .execute, rateClass: .execution, requestID: "req_test")
        return try executions.admit(ticket, new: new).outcome
    }

    /// Notes an execution and gives its identifier.
    func admit(owner: [UInt8]?, spec: ExecutionSpec = StoreFixture.spec) throws -> String {
        let id = Identifier.make(.execution)
        let new = NewExecution(id: id, spec: spec, createdAt: .now, owner: owner)
        _ = try StoreFixture.account(admit(credential, new: new))
        return id
    }

    /// An end with everything that an end can have.
    func finished(_ id: String, _ reason: TerminationReason = .signal) -> FinishedExecution {
        var record = ExecutionRecord(
            id: id, status: reason.status, runtime: .rust, template: "basic-rust", limits: StoreFixture.spec.limits,
            createdAt: .now)
        record.stdout = .init(bytes: [0, 255, 0xC3, 0x28], isTruncated: true)
        record.stderr = .init(bytes: Array("oh\n".utf8))
        record.compile = .init(exitCode: 0, output: .init(bytes: [7], isTruncated: true), timeMicroseconds: 217_000)
        record.termination = Termination(reason: reason, signal: "SIGSEGV", detail: "a detail")
        record.exitCode = 139
        record.wallTimeMicroseconds = 1_234_567
        record.cpuTimeMicroseconds = 1_000_001
        record.memoryPeakBytes = 5 << 30
        record.queueTimeMicroseconds = 42
        record.startedAt = Timestamp(microseconds: 1_700_000_000_123_456)
        record.completedAt = .now
        return FinishedExecution(
            record: record,
            artifacts: [
                Artifact(path: "out/ž.bin", size: 3, contents: [0, 1, 255]),
                Artifact(path: "empty", size: 0, contents: []),
                Artifact(path: "large", size: 11 << 20, contents: nil),
            ])
    }
}
