internal import IsolationProtocol
internal import LinuxKernel
public import Logging
public import Postgres
public import SoulBoxExecution
public import SoulBoxService
internal import SoulBoxKeys
internal import SoulBoxStore

extension APIStores {
    /// The stores of a process, as its configuration has them.
    public init(
        _ configuration: ServiceConfiguration, _ database: PostgresPool, _ connections: IsolatorConnections,
        _ log: Logger
    ) throws {
        let tokens = configuration.tokens
        let keys = KeyStore(database)
        let sandboxes = SandboxStore(database)
        let sealKey = try Files.read(tokens.directory + "/answers.seal", maximum: 32)
        self.init(
            keys: keys, accounts: AccountStore(database), audit: AuditStore(database),
            idempotency: IdempotencyStore(database), sandboxes: sandboxes,
            keeper: SandboxKeeper(store: sandboxes, connections: connections, log: log),
            templates: TemplateStore(database), snapshots: SnapshotStore(database),
            alerts: AlertStores(
                alerts: AlertStore(database), rules: AlertRuleStore(database), seal: WebhookSeal(key: sealKey),
                policy: configuration.alerts.policy),
            reports: ReportStore(database),
            tokens: TokenVerifier(
                name: "soulbox", directory: tokens.directory,
                external: tokens.issuer.isEmpty
                    ? nil
                    : TokenIssuer(issuer: tokens.issuer, audience: tokens.audience, keyFile: tokens.keyFile),
                keys: keys),
            seal: ResponseSeal(key: sealKey))
    }
}

extension ExecutionRunner.Limits {
    /// What the configuration says of output and files.
    public init(_ configuration: ServiceConfiguration) {
        let executions = configuration.executions
        self.init(
            output: OutputLimits(kept: executions.outputLimitBytes),
            artifacts: ExecuteCall.ArtifactLimits(
                each: executions.artifactEachBytes, total: executions.artifactTotalBytes))
    }
}
