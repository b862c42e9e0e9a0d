public import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel
public import SoulBoxStore
internal import Synchronization

/// The components of the service, watched, and what the isolation service said last.
public final class ServiceHealth: Sendable {
    /// The isolation service makes nothing that needs a disk when less is free.
    private static let freeBytes: UInt64 = 512 << 20
    private static let answerMilliseconds: CInt = 500
    /// Three heartbeats of a scheduler.
    private static let silenceSeconds = 6.0
    /// What the isolation service said is told for so long.
    private static let freshNanoseconds: UInt64 = 3_000_000_000

    /// Watches the components.
    public let monitor: HealthMonitor
    private let isolator: IsolatorNews

    /// What was said last, and when.
    private final class IsolatorNews: Sendable {
        let said = Mutex<(status: IsolatorStatus, at: UInt64)?>(nil)
    }

    /// Makes the watch; nothing is asked before it starts.
    ///
    /// - Parameters:
    ///   - database: Throws when the database does not answer.
    ///   - gatewaySocket: Where the gateways listen.
    ///   - sandboxDirectory: A place on the volume of the sandboxes.
    public init(
        database: @escaping @Sendable () throws -> Void, processes: ProcessStore, connections: IsolatorConnections,
        gatewaySocket: String, sandboxDirectory: String
    ) {
        let news = IsolatorNews()
        isolator = news
        monitor = HealthMonitor([
            .init(name: "database", check: database),
            .reporting(
                name: "container_manager",
                details: {
                    let status = try connections.status(timeoutMilliseconds: ServiceHealth.answerMilliseconds)
                    news.said.withLock { $0 = (status, MonotonicClock.now) }
                    return ServiceHealth.details(status)
                }),
            .init(
                name: "queue", failure: "cannot be told while the database does not answer",
                check: {
                    guard let silence = try processes.silence(kind: "scheduler"), silence < ServiceHealth.silenceSeconds
                    else {
                        throw HealthProblem("no scheduler takes asynchronous executions")
                    }
                }),
            .reporting(
                name: "disk", failure: "cannot be measured",
                details: {
                    let space = try HostFigures.space(at: sandboxDirectory)
                    guard space.availableBytes >= ServiceHealth.freeBytes else {
                        throw HealthProblem("less than 512 MiB are free")
                    }
                    return JSONObject([("free_bytes", .integer(Int64(clamping: space.availableBytes)))])
                }),
            .init(
                name: "gateway", failure: "no gateway answers",
                check: {
                    try GatewayProbe.check(gatewaySocket, milliseconds: UInt64(ServiceHealth.answerMilliseconds))
                }),
        ])
    }

    /// What the isolation service said in the last seconds; nil when it said nothing.
    public var isolatorStatus: IsolatorStatus? {
        isolator.said.withLock { said in
            guard let said, MonotonicClock.now - said.at < ServiceHealth.freshNanoseconds else { return nil }
            return said.status
        }
    }

    private static func details(_ status: IsolatorStatus) -> JSONObject {
        var snapshots = JSONObject([("available", .bool(status.memorySnapshotsMissing == nil))])
        if let missing = status.memorySnapshotsMissing { snapshots["reason"] = .string(missing) }
        return JSONObject([
            ("executions_running", JSONValue(status.executionsRunning)),
            ("executions_waiting", JSONValue(status.executionsWaiting)), ("sandboxes", JSONValue(status.sandboxes)),
            ("ready", JSONValue(status.ready)), ("memory_snapshots", .object(snapshots)),
        ])
    }
}
