import Postgres
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Templates")
struct TemplateStoreTests {
    private static let base = try? ImageManifest(json: [
        "id": "basic-python", "name": "", "description": "", "runtime": "python", "runtime_version": "3.11.2",
        "version": "1.0", "base_image": "python:3.11-slim", "recipe_hash": "0",
        "program": ["file": "main.py", "run": ["argv": ["python3"]], "minimum_memory": 16_777_216],
    ])

    private func spec(_ command: String = "true") throws -> TemplateSpec {
        var spec = TemplateSpec(base: try #require(TemplateStoreTests.base))
        spec.description = "ž"
        spec.packages = ["requests==2.0"]
        spec.environment = [.init(name: "A", value: "1=2"), .init(name: "B", value: "")]
        spec.files = [InputFile(path: "a/b.bin", contents: [0, 255, 10])]
        spec.setup = [command, "echo '\"'"]
        return spec
    }

    private func change<Value>(_ store: StoreFixture, _ body: (StoreTransaction) throws -> Value) throws -> Value {
        var value: Value?
        _ = try IdempotencyStore(store.pool).once(
            account: store.account, idempotency: nil,
            audit: AuditEntry(
                accountID: store.account, keyID: nil, requestID: "r", address: "", method: "POST", path: "/",
                status: 202),
            seal: { $0 }
        ) { transaction in
            value = try body(transaction)
            return []
        }
        return try #require(value)
    }

    @discardableResult
    private func create(
        _ name: String, _ store: StoreFixture
    ) throws -> Result<AccountTemplate, TemplateRefusal> {
        let spec = try spec()
        return try change(store) { transaction in
            try TemplateStore(store.pool).create(
                Identifier.makeUUID(), account: store.account, name: name, runtime: .python, spec: spec, in: transaction
            )
        }
    }

    private func addVersion(
        _ template: AccountTemplate, _ store: StoreFixture, name: String? = nil, runtime: Runtime = .python
    ) throws -> Result<AccountTemplate, TemplateRefusal> {
        let spec = try spec("changed")
        return try change(store) { transaction in
            try TemplateStore(store.pool).addVersion(to: template.id, account: store.account, in: transaction) {
                (name ?? $0.name, runtime, spec)
            }
        }
    }

    /// Takes the next build and notes that it succeeded.
    private func build(_ store: StoreFixture) throws -> TemplateBuild {
        let templates = TemplateStore(store.pool)
        let process = Identifier.makeUUID()
        let build = try #require(try templates.takeBuild(process: process))
        #expect(try templates.expectImage(of: build, process: process))
        #expect(try templates.finish(build, process: process, size: 42, packages: [.init(name: "a", version: "1")]))
        return build
    }

    private func sandbox(_ template: AccountTemplate, _ store: StoreFixture, version: Int) -> AccountSandbox {
        var sandbox = AccountSandbox(
            accountID: store.account, name: "n", runtime: .python, template: template.identifier, memoryBytes: 1,
            cpuMillicores: 1, processes: 1, diskBytes: 4096)
        sandbox.templateVersion = version
        return sandbox
    }

    @Test("a template is noted whole, its build is taken once, and then it can be used")
    func life() throws {
        let store = try StoreFixture()
        let templates = TemplateStore(store.pool)
        let made = try create("mine", store).get()
        #expect(made.version == nil && made.newest.status == .queued && made.newest.number == 1)
        #expect(made.newest.spec == (try spec()))
        #expect(try templates.find(made.identifier, account: store.stranger) == nil)
        let process = Identifier.makeUUID()
        let build = try #require(try templates.takeBuild(process: process))
        #expect(try templates.takeBuild(process: process) == nil)
        #expect(build.templateID == made.id && build.version == 1 && build.attempt == 1)
        #expect(build.spec == (try spec()) && build.accountID == store.account && build.runtime == .python)
        #expect(try templates.isBuilding(build.sandbox))
        #expect(try templates.append("one\n", to: build, process: process))
        #expect(try templates.append("ž\n", to: build, process: process))
        #expect(try !templates.append("no", to: build, process: Identifier.makeUUID()))
        #expect(try templates.expectImage(of: build, process: process))
        #expect(
            try templates.finish(
                build, process: process, size: 42, packages: [.init(name: "requests", version: "2.0")]))
        #expect(try !templates.finish(build, process: process, size: 1, packages: []))
        #expect(try !templates.isBuilding(build.sandbox))
        let ready = try #require(try templates.find(made.identifier, account: store.account))
        #expect(ready.version == 1 && ready.newest.status == .ready && ready.shown.sizeBytes == 42)
        #expect(ready.image?.text == made.identifier + "-v1")
        let told = try #require(try templates.build(made.identifier, version: nil, account: store.account))
        #expect(told.log == "one\nž\n" && told.version.packagesInstalled == [.init(name: "requests", version: "2.0")])
        #expect(try templates.build(made.identifier, version: 2, account: store.account) == nil)
        #expect(try templates.build(made.identifier, version: nil, account: store.stranger) == nil)
        #expect(try templates.list(account: store.stranger, runtime: nil, after: nil, offset: 0, limit: 9).total == 0)
    }

    @Test("a build whose process died is begun again, three times at most; who lost it can change nothing")
    func lease() throws {
        let store = try StoreFixture()
        let templates = TemplateStore(store.pool)
        let made = try create("mine", store).get()
        let (first, second) = (Identifier.makeUUID(), Identifier.makeUUID())
        let lost = try #require(try templates.takeBuild(process: first))
        #expect(try templates.extend(lost, process: first))
        #expect(try templates.takeBuild(process: second) == nil)
        let expire = "UPDATE template_versions SET leased_until = now() - interval '1 second'"
        try store.database.run(expire)
        let again = try #require(try templates.takeBuild(process: second))
        #expect(again.attempt == 2 && again.sandbox != lost.sandbox)
        #expect(try !templates.extend(lost, process: first))
        #expect(try !templates.fail(lost, process: first, reason: "late"))
        #expect(try !templates.finish(lost, process: first, size: 1, packages: []))
        #expect(try !templates.isBuilding(lost.sandbox) && templates.isBuilding(again.sandbox))
        #expect(try templates.putBack(again, process: second))
        let third = try #require(try templates.takeBuild(process: first))
        #expect(third.attempt == 3)
        try store.database.run(expire)
        #expect(try templates.takeBuild(process: second) == nil)
        let failed = try #require(try templates.find(made.identifier, account: store.account))
        #expect(failed.newest.status == .failed && failed.newest.error?.isEmpty == false && failed.version == nil)
    }

    @Test("names are known once, quotas hold, versions follow one another")
    func rules() throws {
        let store = try StoreFixture()
        let templates = TemplateStore(store.pool)
        let first = try create("a", store).get()
        #expect(throws: TemplateRefusal.nameTaken) { try create("a", store).get() }
        #expect(throws: TemplateRefusal.building) { try addVersion(first, store).get() }
        _ = try build(store)
        #expect(throws: TemplateRefusal.runtime(.python)) { try addVersion(first, store, runtime: .rust).get() }
        let changed = try addVersion(first, store, name: "b").get()
        #expect(changed.name == "b" && changed.newest.number == 2 && changed.version == 1)
        // What can be used is shown until there is something newer.
        #expect(changed.shown.number == 1 && changed.shown.spec.setup.first == "true")
        let process = Identifier.makeUUID()
        let failing = try #require(try templates.takeBuild(process: process))
        #expect(try templates.fail(failing, process: process, reason: "setup[0] exited with 1"))
        let kept = try #require(try templates.find(first.identifier, account: store.account))
        #expect(kept.version == 1 && kept.newest.status == .failed && kept.newest.error == "setup[0] exited with 1")
        try store.database.run("UPDATE accounts SET templates_quota = 2")
        let second = try create("a", store).get()
        #expect(throws: TemplateRefusal.quota) { try create("c", store).get() }
        #expect(throws: TemplateRefusal.nameTaken) {
            _ = try build(store)
            _ = try addVersion(second, store, name: "b").get()
        }
        let listed = try templates.list(account: store.account, runtime: .python, after: nil, offset: 0, limit: 1)
        #expect(listed.total == 2 && listed.items.map(\.id) == [first.id])
        let rest = try templates.list(account: store.account, runtime: nil, after: first.id, offset: 0, limit: 9)
        #expect(rest.items.map(\.id) == [second.id])
        #expect(try AccountStore(store.pool).find(store.account)?.templates == 2)
    }

    @Test("what is in use is neither deleted nor its image removed")
    func deletion() throws {
        let store = try StoreFixture()
        let templates = TemplateStore(store.pool)
        let sandboxes = SandboxStore(store.pool)
        let made = try create("a", store).get()
        func delete(force: Bool = false, account: [UInt8]? = nil) throws -> TemplateRefusal? {
            var refusal: TemplateRefusal?
            _ = try change(store) { transaction in
                refusal = try templates.delete(
                    made.identifier, account: account ?? store.account, force: force, in: transaction)
                return true
            }
            return refusal
        }
        #expect(try delete() == .building)
        #expect(try delete(account: store.stranger) == .notFound)
        _ = try build(store)
        let used = sandbox(made, store, version: 1)
        let refusal = try change(store) { [try sandboxes.create(used, key: store.credential.keyID, in: $0)] }
        #expect(refusal == [nil])
        #expect(try sandboxes.find(used.identifier)?.image == made.identifier + "-v1")
        #expect(try delete(force: true) == .inUse(sandboxes: 1, snapshots: 0, executions: 0))
        // A newer version takes its place: the older one stays as long as the sandbox does.
        _ = try addVersion(made, store).get()
        _ = try build(store)
        try store.database.run("UPDATE templates SET updated_at = now() - interval '1 hour'")
        #expect(try templates.unusedImages().isEmpty)
        try store.database.run("DELETE FROM sandboxes")
        #expect(try templates.unusedImages().map(\.image.version) == [1])
        try templates.noteRemoved(TemplateImageName(template: made.identifier, version: 1))
        #expect(try templates.unusedImages().isEmpty)
        // An execution that waits counts too.
        var spec = StoreFixture.spec
        spec.template = made.identifier + "-v2"
        let execution = try store.admit(owner: nil, spec: spec)
        #expect(try delete() == .inUse(sandboxes: 0, snapshots: 0, executions: 1))
        _ = try store.executions.requestCancel(execution, account: store.account)
        _ = try addVersion(made, store).get()
        #expect(try delete() == .building)
        let process = Identifier.makeUUID()
        let given = try #require(try templates.takeBuild(process: process))
        #expect(try delete(force: true) == nil)
        #expect(try !templates.extend(given, process: process))
        #expect(try templates.find(made.identifier, account: store.account) == nil)
        #expect(try delete() == .notFound)
        let late = try change(store) { [try sandboxes.create(used, key: store.credential.keyID, in: $0)] }
        #expect(late == [.noTemplate])
        // Its name is free at once; its row goes with its last image.
        _ = try create("a", store).get()
        #expect(try templates.forgetOld() == 0)
        #expect(try templates.unusedImages().map(\.image.version) == [2])
        try templates.noteRemoved(TemplateImageName(template: made.identifier, version: 2))
        #expect(try templates.forgetOld() == 1)
        #expect(try store.database.integer("SELECT count(*) FROM templates") == 1)
    }

    @Test("old versions are forgotten, but for the one in use")
    func versions() throws {
        let store = try StoreFixture()
        let templates = TemplateStore(store.pool)
        let made = try create("a", store).get()
        _ = try build(store)
        for _ in 0..<14 {
            _ = try addVersion(made, store).get()
            let process = Identifier.makeUUID()
            let next = try #require(try templates.takeBuild(process: process))
            #expect(try templates.fail(next, process: process, reason: "no"))
        }
        #expect(try templates.forgetOld() == 4)
        #expect(try templates.build(made.identifier, version: 1, account: store.account) != nil)
        #expect(try templates.build(made.identifier, version: 5, account: store.account) == nil)
        #expect(try templates.build(made.identifier, version: 6, account: store.account) != nil)
    }
}
