internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// Lets a fixed number of executions run at once; the others wait in order.
///
/// It stands in the isolator because only the isolator sees every caller.
final class ExecutionQueue: Sendable {
    /// A place in line. Each is woken by itself: a hundred that look whether it is their turn take longer than what they wait for.
    final class Turn: Sendable {
        fileprivate let hasCome = Monitor(false)
    }

    private struct State {
        var running = 0
        var waiting: [Turn] = []
        var lastLeft: UInt64 = 0
    }

    /// How waiting ended.
    enum Outcome: Sendable {
        case admitted
        case timedOut
        /// `isAbandoned` said so.
        case abandoned
    }

    /// How many run at once.
    let limit: Int

    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// How many run and how many wait.
    var counts: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }

    /// Takes a place if there is one and nobody waits; otherwise a place in line and how many are ahead.
    func arrive() -> Arrival {
        state.withLock { state in
            if state.running < limit, state.waiting.isEmpty {
                state.running += 1
                return .admitted
            }
            let turn = Turn()
            state.waiting.append(turn)
            return .waiting(turn, ahead: state.waiting.count - 1)
        }
    }

    /// What `arrive` found.
    enum Arrival: Sendable {
        case admitted
        case waiting(Turn, ahead: Int)
    }

    /// Waits for a turn. `isAbandoned` is asked at least every 50 ms, and once more before admission.
    func wait(for turn: Turn, until deadline: UInt64, isAbandoned: () -> Bool) -> Outcome {
        while true {
            let slice = min(deadline, MonotonicClock.now + 50_000_000)
            let isAdmitted = turn.hasCome.wait(until: slice) { $0 ? true : nil } == true
            if isAbandoned() {
                if !leaveLine(turn) { leave() }
                return .abandoned
            }
            if isAdmitted { return .admitted }
            // One whose turn has come at this moment has its place.
            if MonotonicClock.now >= deadline { return leaveLine(turn) ? .timedOut : .admitted }
        }
    }

    /// Gives the place of an admitted execution to the next.
    func leave() {
        let next = state.withLock { state -> Turn? in
            state.lastLeft = MonotonicClock.now
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.running -= 1
            return nil
        }
        next?.hasCome.update { $0 = true }
    }

    /// Takes a turn out of the line; false when it has come already, and has a place.
    private func leaveLine(_ turn: Turn) -> Bool {
        state.withLock { state in
            guard let place = state.waiting.firstIndex(where: { $0 === turn }) else { return false }
            state.waiting.remove(at: place)
            return true
        }
    }

    /// Somebody asks for something else that is not to wait: for a while this is no time for what can.
    func noteRequest() { state.withLock { $0.lastLeft = MonotonicClock.now } }

    /// Whether nothing runs, and nobody is still on the way to whoever waits for the last one's answer: the time for what
    /// can wait.
    var isQuiet: Bool {
        state.withLock {
            $0.running == 0
                && MonotonicClock.elapsed(from: $0.lastLeft, to: MonotonicClock.now) > ExecutionQueue.quietAfter
        }
    }

    /// Whether there are processors for what somebody may ask next: on a small machine when it is quiet, on a large one when
    /// few executions run.
    var hasRoom: Bool {
        let running = counts.running
        return running > 0 ? running <= ExecutionQueue.processors / 4 : isQuiet
    }

    static let processors = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))

    /// What the answer of an execution takes from here to its client, and whoever asks one thing after the other takes to ask
    /// the next, in nanoseconds.
    private static let quietAfter: UInt64 = 25_000_000
}
