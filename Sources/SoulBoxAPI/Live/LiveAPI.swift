internal import IsolationProtocol
public import Logging
public import SoulBoxExecution
public import SoulBoxMetrics
public import SoulBoxModel
public import SoulBoxStore

/// The API for connections that stay: the rules of `API`, by the same code, for what is not one request and one answer.
///
/// Every call may wait for the database or the isolation service.
public struct LiveAPI: Sendable {
    let executions: ExecutionService
    let files: SandboxFileService
    let repository: any ExecutionRepository
    let alertStore: AlertStore

    /// Makes it of what `API` is made of.
    public init(
        repository: any ExecutionRepository, stores: APIStores, carrier: any ExecutionCarrier,
        catalog: TemplateCatalog, metrics: ServiceMetrics? = nil, process: [UInt8], log: Logger
    ) {
        self.repository = repository
        alertStore = stores.alerts.alerts
        let gate = Gate(
            credentials: CredentialReader(tokens: stores.tokens), repository: repository,
            refusals: metrics?.refusals, log: log)
        let platform = Platform(
            gate: gate, keys: stores.keys, accounts: stores.accounts, audit: stores.audit,
            idempotency: stores.idempotency, tokens: stores.tokens, seal: stores.seal)
        let limits = ExecuteLimits()
        let templates = TemplateService(platform: platform, store: stores.templates, catalog: catalog)
        let sandboxes = SandboxService(
            platform: platform, store: stores.sandboxes, keeper: stores.keeper, templates: templates,
            bounds: SandboxBounds(limits), maker: SandboxMaker(stores.keeper, log: log))
        files = SandboxFileService(sandboxes: sandboxes, uploadLimit: 0)
        executions = ExecutionService(
            gate: gate, repository: repository, runner: carrier, catalog: catalog, limits: limits, process: process,
            abandoned: AbandonedExecutions(repository, process: process, log: log), sandboxes: sandboxes,
            templates: templates, metrics: metrics?.executions, log: log)
    }

    /// Lets a connection in, counted as an ordinary request.
    ///
    /// - Throws: 401, 403, 404 or 429; 503 without the database.
    public func admit(_ call: LiveCall, _ permission: Permission) throws(APIError) -> Caller {
        let route = route(call, .permission(permission), .standard)
        defer { call.note.set(route.request.context) }
        return try executions.gate.admit(route)
    }

    /// Those of the credentials that would still let their callers in.
    public func good(among credentials: Set<Credential>) throws(APIError) -> Set<Credential> {
        let platform = files.sandboxes.platform
        let now = Timestamp.now
        let current = credentials.filter { credential in credential.expiresAt.map { now < $0 } ?? true }
        return try platform.gate.query { try platform.keys.good(among: Array(current)) }
    }

    /// An execution that is noted, and waits to be carried out.
    public struct Begun: Sendable {
        let begun: ExecutionService.Begun

        /// Its identifier.
        public var id: String { begun.request.id }
        /// The account that it belongs to.
        public var account: [UInt8] { begun.caller.accountID }
    }

    /// Notes an execution as `POST /execute` does, counted as one.
    ///
    /// - Parameter body: The fields of `POST /execute`.
    /// - Throws: What that would answer.
    public func begin(_ body: JSONObject, _ call: LiveCall) throws(APIError) -> Begun {
        let call = route(call, .permission(.execute), .execution)
        let gate = executions.gate
        let ticket = try gate.ticket(call)
        var sandbox: AccountSandbox?
        let spec: ExecutionSpec
        do throws(APIError) {
            sandbox = try executions.target(call, body)
            var validation = Validation()
            let request = ExecuteRequest(body, within: executions.limits, in: sandbox, &validation)
            if request.isAsync { validation.fail("async", "Has no meaning on a live connection") }
            let read = try executions.spec(request, call, in: sandbox, &validation)
            if let error = validation.error { throw error }
            guard let read else { throw APIError.internalError }
            spec = read
        } catch {
            // Only a caller who may execute learns what is wrong, and only of a sandbox of its own.
            let caller = try gate.caller(try executions.store { try $0.admit(ticket) }, call.request)
            if let sandbox, sandbox.accountID != caller.accountID { throw .notFound("sandbox") }
            throw error
        }
        guard case .new(let begun) = try executions.begin(spec, in: sandbox, ticket, nil, call.request) else {
            throw .internalError
        }
        return Begun(begun: begun)
    }

    /// Takes an execution back that was noted and cannot be carried out.
    public func abandon(_ begun: Begun) { executions.abandoned.add(begun.id) }

    /// Carries an execution out, keeping the thread until its end is noted.
    public func carryOut(_ begun: Begun, live: LiveExecution) -> LiveEnd {
        var own = begun.begun
        own.request.live = live
        do {
            return .finished(try executions.carryOut(own))
        } catch {
            return .failed(error)
        }
    }

    /// An execution of that account, as it is noted.
    public func find(_ id: String, account: [UInt8]) throws(APIError) -> ExecutionRecord? {
        guard Identifier.parse(id, .execution) != nil else { return nil }
        return try executions.store { try $0.find(id, account: account) }
    }

    func route(_ call: LiveCall, _ access: Route.Access, _ rateClass: RateClass) -> Route.Call {
        let request = call.request
        return Route.Call(
            request: request, parameters: [:],
            route: Route(request.method, request.rawPath, access, rateClass) { _ throws(APIError) in
                throw APIError.internalError
            })
    }
}
