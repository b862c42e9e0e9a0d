import FastCGI
import IsolationProtocol
import LinuxKernel
import Logging
import Postgres
import SoulBoxAPI
import SoulBoxExecution
import SoulBoxMetrics
import SoulBoxService
import SoulBoxStore

/// One worker process: the API behind FastCGI on descriptor 0, with its row among the service's processes.
final class Worker {
    /// How long running requests may take to end when the process is told to.
    private static let drainMilliseconds = 30_000

    private let log: Logger
    private let settings: ServiceConfiguration.Pool
    private let server: FastCGIServer
    private let health: ServiceHealth
    private let presence: ProcessPresence

    /// Connects what the process is made of; waits for the database.
    init(_ configuration: ServiceConfiguration, pool: WorkerPool, log: Logger) throws {
        self.log = log
        settings = pool.settings(of: configuration)
        // A client waits a second at most to be told that the database is away or busy.
        let database = PostgresPool(
            configuration.databaseURL, size: settings.databaseConnections, waitMilliseconds: 900,
            statementMilliseconds: 5000)
        // Apart from the requests, so that no flood of them makes this process look dead.
        let housekeeping = PostgresPool(configuration.databaseURL, size: 3)
        presence = try ProcessPresence(ProcessStore(housekeeping), kind: "worker", log: log)
        let connections = IsolatorConnections(path: configuration.isolatorSocket)
        let runner = ExecutionRunner(
            connections: connections, catalog: TemplateCatalog(connections),
            limits: ExecutionRunner.Limits(configuration),
            log: log)
        health = ServiceHealth(
            database: housekeeping.check, processes: ProcessStore(housekeeping), connections: connections,
            gatewaySocket: configuration.gatewaySocket, sandboxDirectory: configuration.sandboxDirectory)
        let directory = MetricDirectory(run: configuration.runDirectory)
        let role = "worker-\(pool.rawValue)"
        let metrics = ServiceMetrics(role: role, directory: directory, capacity: 4096) {
            log.error("this process counts for itself alone", metadata: ["error": "\($0)"])
        }
        metrics.watch(role: role) {
            let usage = database.usage
            return .init(open: usage.open, used: usage.used, limit: database.size)
        }
        let api = API(
            repository: ExecutionStore(database), stores: try APIStores(configuration, database, connections, log),
            carrier: runner,
            catalog: runner.catalog, health: health.monitor,
            monitoring: Monitoring(
                metrics: metrics, directory: directory, health: health, store: MetricStore(database),
                figures: MetricStore(
                    PostgresPool(
                        configuration.databaseURL, size: 1, waitMilliseconds: 500, statementMilliseconds: 500))),
            process: presence.id, version: configuration.version,
            document: (try? Files.read(configuration.documentPath, maximum: 4 << 20)) ?? [],
            uploadLimit: configuration.uploadLimitBytes, log: log)
        server = try FastCGIServer(handler: RequestAdapter(api: api).handle)
    }

    /// Starts serving.
    func start() {
        presence.start()
        health.monitor.start()
        server.start(threads: settings.threads)
        log.notice("serving", metadata: ["worker.threads": "\(settings.threads)"])
    }

    /// Lets running requests end, then takes the process off the list.
    func stop() {
        log.notice("draining", metadata: ["worker.requests": "\(server.busyThreads)"])
        if !server.drain(timeoutMilliseconds: Worker.drainMilliseconds) {
            log.warning("requests were cut off", metadata: ["worker.requests": "\(server.busyThreads)"])
        }
        presence.stop()
    }
}
