internal import Glibc
internal import LinuxKernel

/// Lets a fixed number of executions run at once; the others wait in order.
///
/// It stands in the isolator because only the isolator sees every caller.
final class ExecutionQueue: Sendable {
    private struct State {
        var running = 0
        var waiting: [UInt64] = []
        var nextTicket: UInt64 = 0
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

    private let state = Monitor(State())

    init(limit: Int) { self.limit = limit }

    /// How many run and how many wait.
    var counts: (running: Int, waiting: Int) { state.read { ($0.running, $0.waiting.count) } }

    /// Takes a place if there is one and nobody waits; otherwise a place in line and how many are ahead.
    func arrive() -> Arrival {
        state.update { state in
            if state.running < limit, state.waiting.isEmpty {
                state.running += 1
                return .admitted
            }
            defer { state.nextTicket += 1 }
            state.waiting.append(state.nextTicket)
            return .waiting(ticket: state.nextTicket, ahead: state.waiting.count - 1)
        }
    }

    /// What `arrive` found.
    enum Arrival: Sendable {
        case admitted
        case waiting(ticket: UInt64, ahead: Int)
    }

    /// Waits for the turn of a ticket. `isAbandoned` is asked at least every 50 ms, and once more before admission.
    func wait(ticket: UInt64, until deadline: UInt64, isAbandoned: () -> Bool) -> Outcome {
        while true {
            let slice = min(deadline, MonotonicClock.now + 50_000_000)
            let admitted = state.wait(until: slice) { state -> Bool? in
                guard state.running < limit, state.waiting.first == ticket else { return nil }
                state.waiting.removeFirst()
                state.running += 1
                return true
            }
            if isAbandoned() {
                leaveLine(ticket, hasPlace: admitted == true)
                return .abandoned
            }
            if admitted == true { return .admitted }
            if MonotonicClock.now >= deadline {
                leaveLine(ticket, hasPlace: false)
                return .timedOut
            }
        }
    }

    /// Gives the place of an admitted execution to the next.
    func leave() {
        state.update { state in
            state.running -= 1
            state.lastLeft = MonotonicClock.now
        }
    }

    /// Somebody asks for something else that is not to wait: for a while this is no time for what can.
    func noteRequest() { state.update { $0.lastLeft = MonotonicClock.now } }

    /// Whether nothing runs, and nobody is still on the way to whoever waits for the last one's answer: the time for what
    /// can wait.
    var isQuiet: Bool {
        state.read {
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

    private static let processors = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))

    /// What the answer of an execution takes from here to its client, and whoever asks one thing after the other takes to ask
    /// the next, in nanoseconds.
    private static let quietAfter: UInt64 = 25_000_000

    private func leaveLine(_ ticket: UInt64, hasPlace: Bool) {
        state.update { state in
            if hasPlace {
                state.running -= 1
            } else {
                state.waiting.removeAll { $0 == ticket }
            }
        }
    }
}
