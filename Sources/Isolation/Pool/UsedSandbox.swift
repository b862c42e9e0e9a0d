internal import Synchronization

/// The sandbox that an execution has used, until its caller has the answer.
final class UsedSandbox: Sendable {
    private let ready = Mutex<ReadySandbox?>(nil)

    /// Keeps it.
    func take(_ used: ReadySandbox) { ready.withLock { $0 = used } }

    /// Has it removed.
    func discard(_ isolator: Isolator) {
        let used = ready.withLock { ready -> ReadySandbox? in
            defer { ready = nil }
            return ready
        }
        if let used { isolator.discard(used.sandbox) }
    }
}
