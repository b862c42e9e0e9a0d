import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Snapshots and restores in the database")
struct SnapshotStoreTests {
    private let store: StoreFixture
    private let snapshots: SnapshotStore
    private let sandboxes: SandboxStore
    private let process = Identifier.makeUUID()

    init() throws {
        store = try StoreFixture()
        snapshots = SnapshotStore(store.pool)
        sandboxes = SandboxStore(store.pool)
    }

    private func change<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        var value: Value?
        _ = try IdempotencyStore(store.pool).once(
            account: store.account, idempotency: nil,
            audit: AuditEntry(
                accountID: store.account, keyID: nil, requestID: "r", address: "", method: "POST", path: "/",
                status: 202), seal: { $0 }
        ) { transaction in
            value = try body(transaction)
            return []
        }
        return try #require(value)
    }

    private func makeSandbox() throws -> AccountSandbox {
        var sandbox = AccountSandbox(
            accountID: store.account, name: "s", runtime: .python, template: "basic-python", memoryBytes: 64 << 20,
            cpuMillicores: 500, processes: 32, diskBytes: 64 << 20)
        sandbox.networkEnabled = true
        sandbox.allowedHosts = ["example.com"]
        sandbox.environment = [.init(name: "A", value: "b")]
        sandbox.ttlSeconds = 60
        let wanted = sandbox
        let refusal = try change { transaction in
            [try sandboxes.create(wanted, key: store.credential.keyID, in: transaction)]
        }
        #expect(refusal == [nil])
        try sandboxes.move(sandbox.id, from: [.creating], to: .running, event: "running")
        return sandbox
    }

    private func create(
        _ sandbox: AccountSandbox, parent: AccountSnapshot? = nil
    ) throws -> Result<AccountSnapshot, SnapshotStore.Refusal> {
        var snapshot = AccountSnapshot(
            accountID: store.account, sandboxID: sandbox.id, name: "n", diskBytes: sandbox.diskBytes)
        if let parent {
            snapshot.form = .incremental
            snapshot.parentID = parent.id
        }
        let wanted = snapshot
        return try change { transaction in try snapshots.create(wanted, in: transaction) }
    }

    /// A completed one.
    private func complete(_ sandbox: AccountSandbox, parent: AccountSnapshot? = nil) throws -> AccountSnapshot {
        let noted = try create(sandbox, parent: parent).get()
        let taken = try #require(try snapshots.take(process: process))
        #expect(taken.id == noted.id)
        #expect(try snapshots.finish(taken, process: process, size: 1000, disk: 64 << 20, pause: 1, total: 2000))
        return taken
    }

    private func status(_ snapshot: AccountSnapshot) throws -> AccountSnapshot.Status? {
        try snapshots.find(snapshot.identifier, account: store.account)?.status
    }

    private func execute(_ statement: String) throws {
        try store.pool.withConnection { connection in _ = try connection.run(statement) }
    }

    @Test("what is too old or too many goes, children before what they are incremental to")
    func retention() throws {
        let sandbox = try makeSandbox()
        let full = try complete(sandbox)
        let child = try complete(sandbox, parent: full)
        let newest = try complete(sandbox)
        #expect(try snapshots.expire(days: 0, perSandbox: 0) == 0)
        // Two are too many, and the older one of them is needed by the other.
        #expect(try snapshots.expire(days: 0, perSandbox: 1) == 1)
        #expect(try status(child) == .deleting && status(full) == .completed && status(newest) == .completed)
        #expect(try snapshots.deleting().map(\.id) == [child.id])
        try snapshots.finishDeletion(child.id)
        #expect(try snapshots.expire(days: 0, perSandbox: 1) == 1)
        #expect(try status(full) == .deleting)
        try execute("UPDATE snapshots SET finished_at = now() - interval '3 days'")
        #expect(try snapshots.expire(days: 4, perSandbox: 0) == 0)
        #expect(try snapshots.expire(days: 2, perSandbox: 0) == 1)
        #expect(try status(newest) == .deleting)
    }

    @Test(
        "progress tells when it will be whole; one of each sandbox is taken at a time; a failed child holds no parent")
    func jobs() throws {
        let sandbox = try makeSandbox()
        let full = try complete(sandbox)
        let child = try create(sandbox, parent: full).get()
        // By what the last one took: 2000 bytes at its rate are no time.
        #expect(child.estimatedAt.microseconds - child.createdAt.microseconds < 10_000_000)
        _ = try create(sandbox).get()
        let taken = try #require(try snapshots.take(process: process))
        #expect(taken.id == child.id)
        #expect(try snapshots.take(process: process) == nil)
        try execute("UPDATE snapshots SET started_at = now() - interval '10 seconds' WHERE status = 'creating'")
        #expect(try snapshots.extend(taken, process: process, done: 250, total: 1000))
        let now = try #require(try snapshots.find(child.identifier, account: store.account))
        #expect(now.doneBytes == 250 && now.totalBytes == 1000)
        let left = now.estimatedAt.microseconds - Timestamp.now.microseconds
        #expect((25_000_000...31_000_000).contains(left), "\(left)")
        #expect(try snapshots.beginDeletion(full.identifier, account: store.account) == .needed(1))
        #expect(try snapshots.fail(taken, process: process, reason: "r"))
        #expect(try snapshots.take(process: process) != nil)
        guard case .begun = try snapshots.beginDeletion(full.identifier, account: store.account) else {
            Issue.record("a failed one holds its parent")
            return
        }
        #expect(try snapshots.deleting().map(\.id) == [full.id])
        try snapshots.finishDeletion(full.id)
        #expect(try status(full) == nil && status(child) == nil)
    }

    @Test("quotas count what is there, and nothing is told of other accounts")
    func quotas() throws {
        let sandbox = try makeSandbox()
        try execute("UPDATE accounts SET snapshots_quota = 2")
        let first = try complete(sandbox)
        _ = try complete(sandbox)
        #expect(try create(sandbox) == .failure(.quota("snapshots")))
        try execute("UPDATE accounts SET snapshots_quota = NULL, snapshot_bytes_quota = 2000")
        #expect(try create(sandbox) == .failure(.quota("snapshot_bytes")))
        try execute("UPDATE accounts SET snapshot_bytes_quota = 2001")
        _ = try create(sandbox).get()
        #expect(try snapshots.find(first.identifier, account: store.stranger) == nil)
        #expect(
            try change { transaction in
                [try snapshots.hold(first.identifier, account: store.stranger, in: transaction)]
            } == [nil])
        var foreign = sandbox
        foreign.id = Identifier.makeUUID()
        #expect(try create(foreign) == .failure(.noSandbox))
    }

    @Test("a restore is carried out by one, and taken over when that one says nothing more")
    func leases() throws {
        let sandbox = try makeSandbox()
        let snapshot = try complete(sandbox)
        let restore = SandboxRestore(snapshotID: snapshot.id, includesMemory: false, takesNetwork: true)
        try execute("UPDATE sandboxes SET network_enabled = false, allowed_hosts = '{}'")
        _ = try change { transaction in
            [try sandboxes.beginRestore(restore, into: sandbox, in: transaction)]
        }
        let (first, second) = (Identifier.makeUUID(), Identifier.makeUUID())
        let taken = try #require(try sandboxes.takeRestore(restore, of: sandbox.id, owner: first))
        #expect(taken.networkEnabled && taken.allowedHosts == ["example.com"])
        #expect(try sandboxes.takeRestore(restore, of: sandbox.id, owner: second) == nil)
        #expect(try sandboxes.pendingRestores().isEmpty)
        #expect(try sandboxes.unsettled(olderThan: 0).isEmpty)
        // What is being restored is not deleted.
        #expect(try snapshots.beginDeletion(snapshot.identifier, account: store.account) == .restoring(1))
        #expect(try snapshots.expire(days: 0, perSandbox: 0) == 0)
        try execute("UPDATE snapshots SET status = 'deleting'")
        #expect(try snapshots.deleting().isEmpty)
        try execute("UPDATE snapshots SET status = 'completed'")
        try execute("UPDATE sandboxes SET restore_until = now() - interval '1 second'")
        #expect(try sandboxes.pendingRestores().map(\.id) == [sandbox.id])
        #expect(try sandboxes.takeRestore(restore, of: sandbox.id, owner: second) != nil)
        #expect(try !sandboxes.extendRestore(restore, of: sandbox.id, owner: first))
        #expect(try sandboxes.extendRestore(restore, of: sandbox.id, owner: second))
        #expect(try sandboxes.finishRestore(restore, of: sandbox.id))
        #expect(try !sandboxes.finishRestore(restore, of: sandbox.id))
        let now = try #require(try sandboxes.find(sandbox.identifier, account: store.account))
        #expect(now.status == .running && now.restore?.status == .completed && now.networkEnabled)
        // Noted late by whoever gave up: it changes nothing.
        try sandboxes.failRestore(restore, of: sandbox.id, status: .error, reason: "late", error: "late")
        #expect(try sandboxes.find(sandbox.identifier, account: store.account)?.status == .running)
    }

    @Test("a new sandbox is made as the snapshot's was, also when that is gone")
    func origin() throws {
        let sandbox = try makeSandbox()
        let snapshot = try complete(sandbox)
        _ = try sandboxes.beginDeletion(
            sandbox.identifier, account: store.account, force: true, keepSnapshots: true)
        try sandboxes.finishDeletion(sandbox.id)
        let origin = try change { transaction in [try snapshots.origin(of: snapshot, in: transaction)] }
        let found = try #require(origin[0])
        #expect(found.template == "basic-python" && found.runtime == .python && found.ttlSeconds == 60)
        #expect(found.environment == sandbox.environment && found.allowedHosts == ["example.com"])
        #expect(found.memoryBytes == 64 << 20 && found.cpuMillicores == 500 && found.diskBytes == 64 << 20)
    }
}
