internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// A persistent sandbox: what it is on disk, and the running sandbox while there is one.
///
/// One change at a time: starting, stopping, removing and resizing wait for each other. Executions come and go beside
/// them.
final class ManagedSandbox: Sendable {
    struct State {
        var record: SandboxRecord
        var phase = SandboxState.Phase.stopped
        var reason: String?
        var sandbox: Sandbox?
        /// What waits for the next execution.
        var waiting: WaitingProcess?
        /// The sandbox, if something that was to wait in it did not come to stand; nothing does until it runs anew.
        weak var unfit: Sandbox?
        /// Whether it starts just now.
        var isStartingWaiting = false
        var startedAt: Timestamp?
        var isChanging: Bool
        var isRemoved = false
        /// The executions that run in it.
        var entries: [ExecutionTable.Entry] = []
        /// The contexts that run a cell.
        var busyContexts: Set<String> = []
        var sample: (at: UInt64, microseconds: UInt64)?
        var diskUsed: Int64 = 0
        /// The loop device that its disk had last.
        var device: Int32?
    }

    /// How long a change waits for another one.
    private static let patienceNanoseconds: UInt64 = 60_000_000_000

    /// Its identifier.
    let id: String
    /// Its directory.
    let directory: SandboxDirectory
    let state: Monitor<State>

    /// - Parameter isChanging: Whether whoever makes this is in the middle of a change, which `finishChange` ends.
    init(_ record: SandboxRecord, directory: SandboxDirectory, isChanging: Bool = false) {
        id = record.id
        self.directory = directory
        state = Monitor(State(record: record, isChanging: isChanging))
    }

    /// The account it belongs to.
    var account: String { state.read { $0.record.account } }

    /// The name of its image's directory.
    var imageName: String { state.read { $0.record.image } }

    /// What it may use.
    var limits: SandboxLimits { state.read { $0.record.limits } }

    /// What it may reach.
    var network: SandboxNetwork { state.read { $0.record.network } }

    /// The running sandbox; nil when there is none.
    var running: Sandbox? { state.read { $0.sandbox } }

    /// Runs `body` while nobody else changes this sandbox.
    ///
    /// - Parameter keepsWaiting: Whether a program that waits for the next execution goes on to wait: when a sandbox that
    ///   runs is to stay as it is.
    func change<Value>(keepsWaiting: Bool = false, _ body: () throws -> Value) throws -> Value {
        let deadline = MonotonicClock.now + ManagedSandbox.patienceNanoseconds
        let isMine = state.wait(until: deadline) { state -> Bool? in
            guard !state.isChanging else { return nil }
            state.isChanging = true
            return true
        }
        guard isMine == true else { throw IsolationError(.conflict, "another change of the sandbox takes too long") }
        defer { finishChange() }
        guard !state.read({ $0.isRemoved }) else { throw IsolationError(.sandboxNotFound, id) }
        if !keepsWaiting { endWaiting() }
        return try body()
    }

    /// Lets the next change begin.
    func finishChange() { state.update { $0.isChanging = false } }

    /// Adds an execution and gives the sandbox that it runs in.
    func enter(_ entry: ExecutionTable.Entry) throws(IsolationError) -> Sandbox {
        let found = state.update { state -> Sandbox? in
            guard let sandbox = state.sandbox else { return nil }
            state.entries.append(entry)
            return sandbox
        }
        guard let found else { throw IsolationError(.sandboxNotRunning, state.read { $0.phase.rawValue }) }
        return found
    }

    /// An execution has ended.
    func leave(_ entry: ExecutionTable.Entry) { state.update { $0.entries.removeAll { $0 === entry } } }

    /// Takes a context for one cell; false when another one runs in it until the deadline, or nobody waits any more.
    func takeContext(_ context: String, until deadline: UInt64, isAbandoned: () -> Bool) -> Bool {
        while true {
            let slice = min(deadline, MonotonicClock.now + 50_000_000)
            let isMine = state.wait(until: slice) { $0.busyContexts.insert(context).inserted ? true : nil }
            if isMine == true { return true }
            if isAbandoned() || MonotonicClock.now >= deadline { return false }
        }
    }

    /// Gives a context to the next cell.
    func leaveContext(_ context: String) { state.update { _ = $0.busyContexts.remove(context) } }

    /// How it stands.
    func inspect() -> SandboxState {
        let (record, phase, reason, sandbox, startedAt, executions, diskUsed) = state.read {
            ($0.record, $0.phase, $0.reason, $0.sandbox, $0.startedAt, $0.entries.count, $0.diskUsed)
        }
        var result = SandboxState(
            id: id, account: record.account, phase: phase, reason: reason, startedAt: startedAt, limits: record.limits,
            diskUsed: diskUsed, executions: executions, network: record.network)
        guard let sandbox, let usage = try? sandbox.group.group.usage() else { return result }
        result.memoryUsed = Int64((try? sandbox.group.group.memoryInUse()) ?? 0)
        result.cpuMicroseconds = Int64(usage.cpuMicroseconds)
        result.cpuMillicoresUsed = rate(usage.cpuMicroseconds, since: startedAt)
        if case .list(let programs) = try? sandbox.connect().ask(InitMessage.list) {
            // An idle context is no reason to keep a sandbox; one that runs a cell is an execution.
            result.processes = programs.count { $0.status == nil && $0.arguments.last?.hasPrefix("ctx_") != true }
        }
        if let space = try? sandbox.space() {
            result.diskUsed = Int64(space.usedBytes)
            state.update { $0.diskUsed = Int64(space.usedBytes) }
        }
        return result
    }

    /// Processor time per time, in thousandths of a core, since the last look that is a second old.
    private func rate(_ microseconds: UInt64, since startedAt: Timestamp?) -> Int {
        let now = MonotonicClock.now
        return state.update { state in
            guard let sample = state.sample, microseconds >= sample.microseconds else {
                state.sample = (now, microseconds)
                let lifetime = startedAt.map { Timestamp.now.microseconds - $0.microseconds } ?? 0
                return lifetime > 0 ? Int(microseconds * 1000 / UInt64(lifetime)) : 0
            }
            let elapsed = max(1, MonotonicClock.elapsed(from: sample.at, to: now) / 1000)
            let used = microseconds - sample.microseconds
            if elapsed >= 1_000_000 { state.sample = (now, microseconds) }
            return Int(used * 1000 / elapsed)
        }
    }
}
