public import SoulBoxExecution
public import SoulBoxStore

/// What the routes around accounts need of the service.
public struct APIStores: Sendable {
    let keys: KeyStore
    let accounts: AccountStore
    let audit: AuditStore
    let idempotency: IdempotencyStore
    let sandboxes: SandboxStore
    let keeper: SandboxKeeper
    let templates: TemplateStore
    let snapshots: SnapshotStore
    let alerts: AlertStores
    let reports: ReportStore
    let tokens: TokenVerifier
    let seal: ResponseSeal

    /// Puts them together.
    public init(
        keys: KeyStore, accounts: AccountStore, audit: AuditStore, idempotency: IdempotencyStore,
        sandboxes: SandboxStore, keeper: SandboxKeeper, templates: TemplateStore, snapshots: SnapshotStore,
        alerts: AlertStores, reports: ReportStore,
        tokens: TokenVerifier, seal: ResponseSeal
    ) {
        self.keys = keys
        self.accounts = accounts
        self.audit = audit
        self.idempotency = idempotency
        self.sandboxes = sandboxes
        self.keeper = keeper
        self.templates = templates
        self.snapshots = snapshots
        self.alerts = alerts
        self.reports = reports
        self.tokens = tokens
        self.seal = seal
    }
}
