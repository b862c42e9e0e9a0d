internal import LinuxKernel
public import Logging

/// Says again and again that a piece of work goes on, from a thread of its own: no step of the work may delay that.
public final class WorkLease: Sendable {
    private let state = Monitor((isOver: false, isLost: false))

    /// Begins.
    ///
    /// - Parameters:
    ///   - name: The thread's name, and what the log calls the lease.
    ///   - seconds: How long it waits before it says so again.
    ///   - extend: Says that the work goes on; false when it is somebody else's by now.
    public init(
        _ name: String, every seconds: UInt64 = 5, log: Logger, extend: @escaping @Sendable () throws -> Bool
    ) {
        WorkerThread.start(name: name) { [state] in
            while true {
                let next = MonotonicClock.now + seconds * 1_000_000_000
                if state.wait(until: next, for: { $0.isOver ? true : nil }) == true { return }
                do {
                    guard try extend() else {
                        state.update { $0.isLost = true }
                        return
                    }
                } catch {
                    log.warning("a lease was not extended", metadata: ["lease": "\(name)", "error": "\(error)"])
                }
            }
        }
    }

    /// Whether the work is not this process's any more.
    public var isLost: Bool { state.read { $0.isLost } }

    /// The work is over.
    public func end() { state.update { $0.isOver = true } }
}
