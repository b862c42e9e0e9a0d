internal import Synchronization

/// What an execution leaves to be done once its caller has the answer: its sandbox removed, the next one's program started.
final class UsedSandbox: Sendable {
    private struct State {
        var ready: ReadySandbox?
        var wish: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Keeps the sandbox until then.
    func take(_ used: ReadySandbox) { state.withLock { $0.ready = used } }

    /// Keeps what is to be done then, besides.
    func wish(_ wish: @escaping @Sendable () -> Void) { state.withLock { $0.wish = wish } }

    /// Has the sandbox removed, and the rest done.
    func discard(_ isolator: Isolator) {
        let left = state.withLock { state in
            defer { state = State() }
            return state
        }
        if let used = left.ready { isolator.discard(used.sandbox) }
        left.wish?()
    }
}
