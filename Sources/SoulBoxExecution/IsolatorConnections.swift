internal import Glibc
public import IsolationProtocol
public import SoulBoxModel
internal import Synchronization

/// Connections to the isolation service that are kept between calls, shared by the threads of a process.
public final class IsolatorConnections: Sendable {
    // Safe because a connection is held by the list or by one borrower, never by both, and a borrower is one thread.
    private struct Idle: @unchecked Sendable {
        let connection: IsolationConnection
    }

    private let path: String
    private let idleLimit: Int
    private let idle = Mutex<[Idle]>([])

    /// Makes an empty pool for the service's socket; nothing is connected yet.
    ///
    /// - Parameter idleLimit: How many idle connections are kept.
    public init(path: String, idleLimit: Int = 32) {
        self.path = path
        self.idleLimit = idleLimit
    }

    /// An idle connection that is still good, or a new one.
    ///
    /// - Throws: `unavailable` when the service cannot be reached.
    public func borrow() throws(IsolationError) -> IsolationConnection {
        while let kept = idle.withLock({ $0.popLast() }) {
            // A connection at rest has nothing to say: anything readable is the news that the service has gone.
            var entry = pollfd(fd: kept.connection.pollDescriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 0) == 0 { return kept.connection }
        }
        return try IsolationConnection(path: path)
    }

    /// Keeps a connection whose call has come to its end.
    public func giveBack(_ connection: IsolationConnection) {
        let kept = Idle(connection: connection)
        idle.withLock { if $0.count < idleLimit { $0.append(kept) } }
    }

    /// Ends an execution of that account.
    ///
    /// - Returns: False when the service knows none of that name that runs or waits.
    public func terminate(
        execution: String, account: String, reason: TerminationReason
    ) throws(IsolationError) -> Bool {
        try with { connection throws(IsolationError) in
            try connection.terminate(execution: execution, account: account, reason: reason)
        }
    }

    /// Sends a signal to the program of an execution of that account.
    ///
    /// - Returns: False when the service knows none of that name whose program runs.
    @discardableResult
    public func signal(execution: String, account: String, number: Int32) throws(IsolationError) -> Bool {
        try with { connection throws(IsolationError) in
            try connection.signal(execution: execution, account: account, number: number)
        }
    }

    /// The manifests of the images that can be used now.
    public func images() throws(IsolationError) -> [ImageManifest] {
        try with { connection throws(IsolationError) in try connection.images() }
    }

    /// How the service stands, asked within that time.
    public func status(timeoutMilliseconds: CInt) throws(IsolationError) -> IsolatorStatus {
        try with { connection throws(IsolationError) in
            try connection.status(timeoutMilliseconds: timeoutMilliseconds)
        }
    }

    /// One call; a connection on which it failed is dropped, unless the service answered with a refusal.
    public func with<Value>(
        _ body: (IsolationConnection) throws(IsolationError) -> Value
    ) throws(IsolationError) -> Value {
        let connection = try borrow()
        let value = try body(connection)
        giveBack(connection)
        return value
    }
}
