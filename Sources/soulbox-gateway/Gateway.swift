import IsolationProtocol
import LinuxKernel
import Logging
import Postgres
import SoulBoxAPI
import SoulBoxExecution
import SoulBoxGateway
import SoulBoxMetrics
import SoulBoxService
import SoulBoxStore

/// One gateway process: live connections on descriptor 0, with its row among the service's processes.
final class Gateway {
    private let log: Logger
    private let server: GatewayServer
    private let presence: ProcessPresence

    /// Connects what the process is made of; waits for the database.
    init(_ configuration: ServiceConfiguration, log: Logger) throws {
        self.log = log
        let settings = configuration.gateway
        let database = PostgresPool(
            configuration.databaseURL, size: settings.databaseConnections, waitMilliseconds: 900,
            statementMilliseconds: 5000)
        // Apart from the connections, so that no flood of them makes this process look dead.
        presence = try ProcessPresence(
            ProcessStore(PostgresPool(configuration.databaseURL, size: 1)), kind: "gateway", log: log)
        let connections = IsolatorConnections(path: configuration.isolatorSocket)
        let runner = ExecutionRunner(
            connections: connections, catalog: TemplateCatalog(connections),
            limits: ExecutionRunner.Limits(configuration), log: log)
        let metrics = ServiceMetrics(role: "gateway", directory: MetricDirectory(run: configuration.runDirectory)) {
            log.error("this process counts for itself alone", metadata: ["error": "\($0)"])
        }
        metrics.watch(role: "gateway") {
            let usage = database.usage
            return .init(open: usage.open, used: usage.used, limit: database.size)
        }
        let api = LiveAPI(
            repository: ExecutionStore(database),
            stores: try APIStores(configuration, database, connections, log), carrier: runner,
            catalog: runner.catalog, metrics: metrics, process: presence.id, log: log)
        server = GatewayServer(
            api, limits: Gateway.limits(settings), metrics: metrics,
            directory: configuration.runDirectory + "/gateways",
            name: presence.id.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(), log: log)
    }

    /// Starts serving.
    func start() throws {
        presence.start()
        try server.start(socket: 0)
        log.notice("serving")
    }

    /// Lets executions end, then takes the process off the list.
    func stop(within seconds: Int) {
        log.notice("draining", metadata: ["gateway.executions": "\(server.executions)"])
        if !server.drain(seconds: seconds) {
            log.warning("executions were cut off", metadata: ["gateway.executions": "\(server.executions)"])
        }
        presence.stop()
    }

    private static func limits(_ settings: ServiceConfiguration.Gateway) -> GatewayLimits {
        var limits = GatewayLimits()
        limits.connections = settings.connections
        limits.connectionsPerKey = settings.connectionsPerKey
        limits.executions = settings.executions
        limits.pingSeconds = settings.pingSeconds
        limits.silenceSeconds = settings.silenceSeconds
        limits.live.graceMilliseconds = settings.graceSeconds * 1000
        return limits
    }
}
