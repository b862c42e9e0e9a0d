internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import Postgres
internal import SoulBoxExecution
internal import SoulBoxKeys
internal import SoulBoxMetrics
internal import SoulBoxScheduler
internal import SoulBoxService
internal import SoulBoxStore

let (configuration, log) = ServiceProcess.start(label: "soulbox.scheduler")
do {
    // Apart from the executions, so that no flood of them makes this process look dead.
    let processes = ProcessStore(PostgresPool(configuration.databaseURL, size: 2))
    let presence = try ProcessPresence(processes, kind: "scheduler", log: log)
    presence.start()
    let directory = MetricDirectory(run: configuration.runDirectory)
    let metrics = ServiceMetrics(role: "scheduler", directory: directory) {
        log.error("this process counts for itself alone", metadata: ["error": "\($0)"])
    }
    let connections = IsolatorConnections(path: configuration.isolatorSocket)
    let executions = configuration.executions
    let runner = ExecutionRunner(
        connections: connections, catalog: TemplateCatalog(connections),
        limits: .init(
            output: .init(kept: executions.outputLimitBytes),
            artifacts: .init(each: executions.artifactEachBytes, total: executions.artifactTotalBytes)), log: log)
    let database = PostgresPool(configuration.databaseURL, size: 4)
    let sandboxes = SandboxStore(database)
    let scheduler = Scheduler(
        databaseURL: configuration.databaseURL, store: ExecutionStore(database), processes: processes,
        idempotency: IdempotencyStore(database), audit: AuditStore(database), limits: LimitStore(database),
        sandboxes: sandboxes, keeper: SandboxKeeper(store: sandboxes, connections: connections, log: log),
        templates: TemplateBuilder(
            store: TemplateStore(database), connections: connections,
            settings: TemplateSettings(pipIndex: configuration.pipIndex), process: presence.id, log: log),
        snapshots: SnapshotTaker(
            databaseURL: configuration.databaseURL, store: SnapshotStore(database), connections: connections,
            process: presence.id,
            keep: SnapshotTaker.Retention(
                days: configuration.snapshots.keepDays, perSandbox: configuration.snapshots.keepPerSandbox), log: log),
        usage: UsageRollUp(
            store: UsageStore(
                PostgresPool(
                    configuration.databaseURL, size: 1, statementMilliseconds: UsageRollUp.statementMilliseconds)),
            retentionMonths: configuration.reports.retentionMonths, log: log),
        runner: runner, metrics: metrics.executions, process: presence.id,
        concurrent: executions.concurrent,
        retentionDays: executions.retentionDays, log: log)
    // Whoever reads the database finds no secret in it: the key that opens them is a file.
    let seal = WebhookSeal(key: try Files.read(configuration.tokens.directory + "/answers.seal", maximum: 32))
    let webhooks = WebhookSender(
        databaseURL: configuration.databaseURL, store: WebhookStore(PostgresPool(configuration.databaseURL, size: 2)),
        policy: configuration.alerts.policy, seal: seal, version: configuration.version, log: log)
    let alerts = AlertEvaluator(databaseURL: configuration.databaseURL, log: log)
    scheduler.start()
    alerts.start()
    webhooks.start()
    metrics.watch(role: "scheduler") {
        let usage = database.usage
        return .init(open: usage.open, used: usage.used, limit: database.size)
    }
    let housekeeping = PostgresPool(configuration.databaseURL, size: 2)
    let health = ServiceHealth(
        database: housekeeping.check, processes: ProcessStore(housekeeping), connections: connections,
        gatewaySocket: configuration.gatewaySocket, sandboxDirectory: configuration.sandboxDirectory)
    health.monitor.start()
    MetricSampler(
        store: MetricStore(housekeeping), directory: directory, health: health, node: configuration.node,
        sandboxDirectory: configuration.sandboxDirectory, log: log
    ).start()
    ServiceProcess.waitForTermination()
    alerts.stop()
    scheduler.stop(within: 25)
    webhooks.stop(within: 6)
    presence.stop()
} catch {
    log.critical("the scheduler cannot start", metadata: ["error": "\(error)"])
    exit(1)
}
