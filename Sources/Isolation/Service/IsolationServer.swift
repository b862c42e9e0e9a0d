internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// Serves Varlink on a unix socket, a thread for each connection.
final class IsolationServer: Sendable {
    /// More connections than the execution pools of a machine have threads.
    private static let maximumConnections = 1024

    private let users: Set<UInt32>
    private let serve: @Sendable (VarlinkConnection) -> Void
    private let listener: SharedDescriptor
    private let connections = Mutex(0)
    private let log: Logger

    /// Listens on a socket.
    ///
    /// - Parameters:
    ///   - group: The group that may connect, beside root.
    ///   - users: The users that may, beside root.
    ///   - serve: Answers one connection until it ends.
    init(
        path: String, group: UInt32, users: Set<UInt32>, log: Logger,
        serve: @escaping @Sendable (VarlinkConnection) -> Void
    ) throws {
        self.users = users
        self.serve = serve
        self.log = log
        listener = SharedDescriptor(try UnixSocket.listen(at: path, kind: .stream, mode: 0o660, backlog: 512))
        try Files.setOwner(path, user: 0, group: group)
    }

    /// Accepts connections until the process ends.
    func start() {
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
        guard peer.uid == 0 || users.contains(peer.uid) else {
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
            serve(VarlinkConnection(owning: Descriptor(owning: raw)))
        }
    }
}
