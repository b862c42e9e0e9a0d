import IsolationProtocol
import Logging
import Postgres
import SoulBoxAPI
import SoulBoxExecution
import SoulBoxKeys
import SoulBoxModel
import SoulBoxStore

/// The API over fakes.
struct TestAPI {
    let repository: FakeRepository
    let carrier: FakeCarrier
    let api: API

    init(
        repository: FakeRepository = FakeRepository(), carrier: FakeCarrier = FakeCarrier(),
        catalog: TemplateCatalog = TestAPI.catalog(), health: HealthMonitor = HealthMonitor([])
    ) {
        self.repository = repository
        self.carrier = carrier
        api = API(
            repository: repository, stores: TestAPI.stores, carrier: carrier, catalog: catalog, health: health,
            process: [UInt8](repeating: 9, count: 16), version: "1.2.3",
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Stores over a database that is not there: what needs one answers 503.
    static let stores: APIStores = {
        let pool = PostgresPool("host=/nonexistent dbname=none", size: 1)
        let keys = KeyStore(pool)
        let sandboxes = SandboxStore(pool)
        let connections = IsolatorConnections(path: "/nonexistent/isolator.sock")
        return APIStores(
            keys: keys, accounts: AccountStore(pool), audit: AuditStore(pool), idempotency: IdempotencyStore(pool),
            sandboxes: sandboxes,
            keeper: SandboxKeeper(
                store: sandboxes, connections: connections,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            templates: TemplateStore(pool), snapshots: SnapshotStore(pool),
            alerts: AlertStores(
                alerts: AlertStore(pool), rules: AlertRuleStore(pool),
                seal: WebhookSeal(key: [UInt8](repeating: 2, count: 32)), policy: WebhookPolicy()),
            reports: ReportStore(pool),
            tokens: TokenVerifier(name: "soulbox", directory: "/nonexistent", external: nil, keys: keys),
            seal: ResponseSeal(key: [UInt8](repeating: 1, count: 32)))
    }()

    func call(
        _ method: String, _ target: String, _ body: JSONValue? = nil, headers: [String: String] = [:],
        key: String? = TestKey.text
    ) -> HTTPResponse {
        call(method, target, bytes: body?.bytes ?? [], headers: headers, key: key)
    }

    func call(
        _ method: String, _ target: String, bytes: [UInt8], headers: [String: String] = [:],
        key: String? = TestKey.text, failure: BodyError? = nil
    ) -> HTTPResponse {
        var fields = ["content-type": "application/json"]
        fields["x-api-key"] = key
        fields.merge(headers) { $1 }
        return api.respond(
            to: HTTPRequest(
                method: method, target: target, requestID: "req_test", body: MemoryBody(bytes, failure: failure),
                headers: { fields[$0] }))
    }

    /// Python without and Rust with a compile stage; Java wants 64 MiB.
    static func catalog() -> TemplateCatalog {
        TemplateCatalog { () throws(IsolationError) in
            [
                manifest("basic-python", .python, version: "3.11.2", file: "main.py"),
                manifest("basic-rust", .rust, version: "1.85.0", file: "main.rs", isCompiled: true),
                manifest("basic-java", .java, version: "21.0.5", file: "Main.java", minimumMemory: 64 << 20),
                manifest("science", .python, version: "3.11.2", file: "main.py"),
            ].compactMap { try? ImageManifest(json: $0) }
        }
    }

    private static func manifest(
        _ id: String, _ runtime: Runtime, version: String, file: String, isCompiled: Bool = false,
        minimumMemory: Int64 = 16 << 20
    ) -> JSONValue {
        let compile: JSONValue = ["argv": ["cc"], "memory": 1_073_741_824, "timeout": 60, "disk": 536_870_912]
        return [
            "id": .string(id), "name": .string(id), "description": "", "runtime": .string(runtime.rawValue),
            "runtime_version": .string(version), "version": "1.0", "base_image": "debian", "packages": [],
            "recipe_hash": "0", "environment": [:], "files": [],
            "program": [
                "file": .string(file), "compile": isCompiled ? compile : .null,
                "run": ["argv": ["run", "{entrypoint}"]], "minimum_memory": .integer(minimumMemory),
            ],
        ]
    }
}

extension HTTPResponse {
    /// The body as JSON; null when it is none.
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
}
