internal import LinuxKernel
internal import Logging
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel
internal import Synchronization

/// The executions that this process carries out, by name: those that run, and for a while those that have ended.
final class ExecutionHub: Sendable {
    private struct State {
        var running: [String: LiveExecution] = [:]
        var ended: [(execution: LiveExecution, bytes: Int, at: UInt64)] = []
        var endedBytes = 0
        var places = 0
    }

    private let api: LiveAPI
    private let limits: GatewayLimits
    private let log: Logger
    private let state = Monitor(State())

    init(_ api: LiveAPI, limits: GatewayLimits, log: Logger) {
        self.api = api
        self.limits = limits
        self.log = log
    }

    /// Keeps a place for an execution that is about to be noted.
    func reserve() -> Bool {
        state.update { state in
            guard state.places < limits.executions else { return false }
            state.places += 1
            return true
        }
    }

    /// Gives a place back that was not needed.
    func release() { state.update { $0.places -= 1 } }

    /// Carries an execution out, for which a place was kept, on a thread of its own.
    func start(_ begun: LiveAPI.Begun, _ live: LiveExecution) {
        start(live) { [api] in api.carryOut(begun, live: live) }
    }

    /// Runs a shell, for which a place was kept, on a thread of its own.
    func start(_ shell: LiveAPI.Shell, _ live: LiveExecution) {
        start(live) { [api] in api.run(shell, live: live) }
    }

    private func start(_ live: LiveExecution, _ body: @escaping @Sendable () -> LiveEnd) {
        state.update { $0.running[live.id] = live }
        WorkerThread.start(name: "execution") { [self] in
            let end = body()
            live.end(end)
            state.update { state in
                state.running[live.id] = nil
                state.places -= 1
                let bytes = live.keptBytes
                state.ended.append((live, bytes, MonotonicClock.now))
                state.endedBytes += bytes
                forgetOld(&state)
            }
        }
    }

    /// Lets go of what ended long ago. Who comes back to it is told from the database.
    func forgetOld() { state.update { forgetOld(&$0) } }

    private func forgetOld(_ state: inout State) {
        let now = MonotonicClock.now
        let oldest = now - min(now, UInt64(limits.lingerSeconds) * 1_000_000_000)
        var count = 0
        for entry in state.ended {
            guard entry.at < oldest || state.endedBytes > limits.lingerBytes else { break }
            state.endedBytes -= entry.bytes
            count += 1
        }
        state.ended.removeFirst(count)
    }

    /// An execution of that account that is here; nil when it is not.
    func find(_ id: String, account: [UInt8]) -> LiveExecution? {
        let found = state.read { state in
            state.running[id] ?? state.ended.last { $0.execution.id == id }?.execution
        }
        return found?.account == account ? found : nil
    }

    /// How many run.
    var count: Int { state.read { $0.places } }

    /// Waits until none runs; false when that moment of the monotonic clock came first.
    func waitUntilIdle(deadline: UInt64) -> Bool {
        state.wait(until: deadline) { $0.places == 0 ? true : nil } ?? false
    }

    /// Ends all that run, as cancelled.
    func cancelAll() { for execution in state.read({ Array($0.running.values) }) { execution.cancel() } }
}
