internal import Glibc
internal import IsolationProtocol
internal import Logging
internal import Postgres
internal import SoulBoxExecution
internal import SoulBoxScheduler
internal import SoulBoxService
internal import SoulBoxStore

let (configuration, log) = ServiceProcess.start(label: "soulbox.scheduler")
do {
    // Apart from the executions, so that no flood of them makes this process look dead.
    let processes = ProcessStore(PostgresPool(configuration.databaseURL, size: 2))
    let presence = try ProcessPresence(processes, kind: "scheduler", log: log)
    presence.start()
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
            store: SnapshotStore(database), connections: connections, process: presence.id, log: log),
        usage: UsageRollUp(
            store: UsageStore(
                PostgresPool(
                    configuration.databaseURL, size: 1, statementMilliseconds: UsageRollUp.statementMilliseconds)),
            retentionMonths: configuration.reports.retentionMonths, log: log),
        runner: runner, process: presence.id,
        concurrent: executions.concurrent,
        retentionDays: executions.retentionDays, log: log)
    scheduler.start()
    ServiceProcess.waitForTermination()
    scheduler.stop(within: 25)
    presence.stop()
} catch {
    log.critical("the scheduler cannot start", metadata: ["error": "\(error)"])
    exit(1)
}
