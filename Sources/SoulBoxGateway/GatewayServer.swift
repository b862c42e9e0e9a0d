internal import LinuxKernel
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import SoulBoxAPI
public import SoulBoxMetrics
internal import Synchronization

/// The process behind the web server's WebSockets and long streams.
public final class GatewayServer: Sendable {
    private let services: Services
    private let group: MultiThreadedEventLoopGroup
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let listener = Mutex<(any Channel)?>(nil)
    private let log: Logger

    /// Makes a server that does not listen yet.
    ///
    /// - Parameters:
    ///   - metrics: What this process counts.
    ///   - directory: Where the gateways of the machine find each other, for their user alone.
    ///   - name: This process's name there.
    public init(
        _ api: LiveAPI, limits: GatewayLimits, metrics: ServiceMetrics, directory: String, name: String, log: Logger
    ) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let pool = NIOThreadPool(numberOfThreads: limits.threads)
        pool.start()
        services = Services(
            api: api, hub: ExecutionHub(api, limits: limits, log: log), limits: limits, pool: pool,
            seats: Seats(limits), followers: Places(limits.followers), figures: SystemFigures(api),
            peers: PeerDirectory(path: directory, name: name), metrics: WebSocketMetrics(metrics.sheet), group: group,
            log: log)
        self.log = log
    }

    /// Serves what connects to a socket that is bound already.
    public func start(socket: CInt) throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
        let channel = try bootstrap.withBoundSocket(socket).wait()
        listener.withLock { $0 = channel }
        try PeerServer(services).start()
        Housekeeping(services).start()
    }

    private func prepare(_ channel: any Channel) throws {
        let door = Door(services)
        let handler = RequestHandler(services, door)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withServerUpgrade: (
                upgraders: [door.upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ), withErrorHandling: true)
        try channel.pipeline.syncOperations.addHandler(handler)
        let key = ObjectIdentifier(channel)
        channels.withLock { $0[key] = channel }
        channel.closeFuture.whenComplete { [self] _ in _ = channels.withLock { $0.removeValue(forKey: key) } }
    }

    /// How many executions run.
    public var executions: Int { services.hub.count }

    /// Takes no more connections, closes those with nothing to do, and waits for executions to end; those whose clients are
    /// there keep them until then.
    ///
    /// - Returns: Whether all had ended within that time.
    public func drain(seconds: Int) -> Bool {
        let listening = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        try? listening?.close().wait()
        for channel in channels.withLock({ Array($0.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(DrainRequest())
        }
        let isIdle = services.hub.waitUntilIdle(deadline: MonotonicClock.now + UInt64(seconds) * 1_000_000_000)
        if !isIdle {
            services.hub.cancelAll()
            _ = services.hub.waitUntilIdle(deadline: MonotonicClock.now + 3_000_000_000)
        }
        // Last messages and close frames on their way to clients.
        services.peers.remove()
        let deadline = MonotonicClock.now + 3_000_000_000
        while !channels.withLock({ $0.isEmpty }), MonotonicClock.now < deadline { Pause.milliseconds(20) }
        return isIdle
    }
}
