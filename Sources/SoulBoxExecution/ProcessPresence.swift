internal import Glibc
internal import LinuxKernel
public import Logging
public import SoulBoxStore
internal import Synchronization

/// This process's row among the service's processes, kept fresh by a thread of its own.
///
/// Executions whose owner's row has gone stale are taken for lost, so nothing else may delay the heartbeat.
public final class ProcessPresence: Sendable {
    private static let heartbeatMicroseconds: UInt32 = 2_000_000
    private static let registrationSeconds: UInt64 = 30

    /// The row's identifier, the owner of the executions of this process.
    public let id: [UInt8]

    private let store: ProcessStore
    private let log: Logger
    private let isStopped = Mutex(false)

    /// Makes the row; waits half a minute for a database that is away.
    ///
    /// - Parameter kind: `worker` or `scheduler`.
    /// - Throws: What the database said last.
    public init(_ store: ProcessStore, kind: String, log: Logger) throws {
        self.store = store
        self.log = log
        let deadline = MonotonicClock.now + ProcessPresence.registrationSeconds * 1_000_000_000
        while true {
            do {
                id = try store.register(kind: kind)
                return
            } catch {
                guard MonotonicClock.now < deadline else { throw error }
                log.warning("waiting for the database", metadata: ["error": "\(error)"])
                usleep(250_000)
            }
        }
    }

    /// Starts the heartbeat.
    public func start() {
        WorkerThread.start(name: "heartbeat") { [self] in
            while !isStopped.withLock({ $0 }) {
                do {
                    try store.heartbeat(id)
                } catch {
                    log.warning("heartbeat not noted", metadata: ["error": "\(error)"])
                }
                usleep(ProcessPresence.heartbeatMicroseconds)
            }
        }
    }

    /// Ends the heartbeat and removes the row; what the process still owns is lost from then on.
    public func stop() {
        isStopped.withLock { $0 = true }
        do {
            try store.unregister(id)
        } catch {
            log.warning("process not taken off the list", metadata: ["error": "\(error)"])
        }
    }
}
