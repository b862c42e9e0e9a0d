internal import IsolationProtocol
public import Logging

/// The service's two sockets: one for those who ask for sandboxes, and one for soulbox-egress, which has no say about
/// sandboxes and is not trusted with any.
public struct IsolationServers {
    private let calls: IsolationServer
    private let egress: IsolationServer

    /// Listens on both.
    public init(_ isolator: Isolator, log: Logger) throws {
        let configuration = isolator.configuration
        calls = try IsolationServer(
            path: configuration.socketPath, group: configuration.socketGroup, users: configuration.allowedUsers,
            log: log
        ) { ConnectionHandler(isolator: isolator, connection: $0, log: log).serve() }
        let user = configuration.network.egressUser
        egress = try IsolationServer(path: configuration.egressSocketPath, group: user, users: [user], log: log) {
            EgressCalls(networks: isolator.networks, connection: $0, log: log).serve()
        }
    }

    /// Accepts connections until the process ends.
    public func start() {
        calls.start()
        egress.start()
    }
}
