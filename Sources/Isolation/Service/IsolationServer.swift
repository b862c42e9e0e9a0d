internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
public import Logging
internal import SoulBoxModel
internal import Synchronization

/// Serves the Varlink interface `io.soulbox.isolation` on a unix socket, a thread for each connection.
public final class IsolationServer: Sendable {
    /// More connections than the execution pools of a machine have threads.
    private static let maximumConnections = 1024

    private let isolator: Isolator
    private let listener: SharedDescriptor
    private let connections = Mutex(0)
    private let log: Logger

    /// Listens on the configured socket.
    public init(_ isolator: Isolator, log: Logger) throws {
        self.isolator = isolator
        self.log = log
        let configuration = isolator.configuration
        listener = SharedDescriptor(
            try UnixSocket.listen(at: configuration.socketPath, kind: .stream, mode: 0o660, backlog: 512))
        try Files.setOwner(configuration.socketPath, user: 0, group: configuration.socketGroup)
    }

    /// Accepts connections until the process ends.
    public func start() {
        WorkerThread.start(name: "accept") { [self] in
            while true {
                do {
                    try accept()
                } catch {
                    // EMFILE and the like: shed load, and give others time to close.
                    log.error("accept failed", metadata: ["error": "\(error)"])
                    usleep(50_000)
                }
            }
        }
    }

    private func accept() throws(SystemCallError) {
        let socket = try UnixSocket.accept(listener.rawValue)
        let peer = try UnixSocket.peer(of: socket)
        guard peer.uid == 0 || isolator.configuration.allowedUsers.contains(peer.uid) else {
            log.warning("refused a connection", metadata: ["peer.uid": "\(peer.uid)"])
            return
        }
        let count = connections.withLock { count in
            count += 1
            return count
        }
        guard count <= IsolationServer.maximumConnections else {
            connections.withLock { $0 -= 1 }
            return
        }
        // The thread is the owner from here on.
        let raw = socket.release()
        WorkerThread.start(name: "connection") { [self] in
            defer { connections.withLock { $0 -= 1 } }
            let connection = VarlinkConnection(owning: Descriptor(owning: raw))
            ConnectionHandler(isolator: isolator, connection: connection, log: log).serve()
        }
    }
}
