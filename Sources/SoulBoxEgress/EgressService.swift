public import Logging
internal import NIOCore
internal import NIOPosix

/// The way of sandboxes to names: their server of names, and the one that passes their connections on.
///
/// It has no privilege. What it may reach itself is limited by the packet filter, by the user that it runs as; what it
/// asks for is checked by the isolation service.
public struct EgressService: Sendable {
    /// The gateway of all sandboxes.
    public static let gateway = "198.19.255.255"

    private let group: any EventLoopGroup
    private let names: NameService
    private let connections: ConnectionService

    /// Listens at the gateway's address, and follows the isolation service from then on.
    public init(socket: String, resolvers: [String], log: Logger) async throws {
        try await self.init(
            socket: socket, resolvers: resolvers, log: log, address: EgressService.gateway, resolverPort: 53,
            destination: originalDestination(of:))
    }

    /// For tests, which have no packet filter on the way.
    init(
        socket: String, resolvers: [String], log: Logger, address: String, resolverPort: Int,
        destination: @escaping ConnectionService.Destination
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        self.group = group
        let table = PolicyTable()
        let desk = NameDesk(
            table: table, resolver: NameResolver(group: group, servers: NameServers(resolvers), port: resolverPort),
            admissions: AdmissionDesk(path: socket))
        names = try await NameService.bind(address, desk: desk, group: group)
        connections = try await ConnectionService.bind(
            address, desk: desk, group: group, log: log, destination: destination)
        IsolatorWatch(
            path: socket, table: table, namesPort: names.port, connectionsPort: connections.port, log: log
        ).start()
    }

    /// Where it listens, for tests.
    var ports: (names: Int, connections: Int) { (names.port, connections.port) }

    /// Serves until the process ends.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await names.run() }
            tasks.addTask { try await connections.run() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }
}
