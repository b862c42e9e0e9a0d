import LinuxKernel
import Testing

@testable import Isolation

@Suite("Queue of executions")
struct ExecutionQueueTests {
    private func turn(_ arrival: ExecutionQueue.Arrival) -> ExecutionQueue.Turn? {
        if case .waiting(let turn, _) = arrival { turn } else { nil }
    }

    private func deadline(_ milliseconds: UInt64) -> UInt64 { MonotonicClock.now + milliseconds * 1_000_000 }

    @Test("places are given in order, and nobody passes who waits")
    func order() throws {
        let queue = ExecutionQueue(limit: 1)
        #expect(turn(queue.arrive()) == nil)
        let first = try #require(turn(queue.arrive()))
        let second = try #require(turn(queue.arrive()))
        #expect(queue.counts == (1, 2))
        #expect(queue.wait(for: second, until: deadline(60)) { false } == .timedOut)
        let third = try #require(turn(queue.arrive()))
        queue.leave()
        #expect(queue.wait(for: first, until: deadline(1000)) { false } == .admitted)
        queue.leave()
        #expect(queue.wait(for: third, until: deadline(1000)) { false } == .admitted)
        queue.leave()
        #expect(queue.counts == (0, 0) && !queue.isQuiet)
    }

    @Test("one that is abandoned when its turn has come hands it on")
    func abandoned() throws {
        let queue = ExecutionQueue(limit: 1)
        _ = queue.arrive()
        let first = try #require(turn(queue.arrive()))
        let second = try #require(turn(queue.arrive()))
        queue.leave()
        #expect(queue.wait(for: first, until: deadline(1000)) { true } == .abandoned)
        #expect(queue.wait(for: second, until: deadline(1000)) { false } == .admitted)
        queue.leave()
        #expect(queue.counts == (0, 0))
    }

    @Test("of many that come, wait, give up and leave at once never more run than may, and in the end none is left")
    func race() {
        let queue = ExecutionQueue(limit: 4)
        let state = Monitor((running: 0, most: 0, admitted: 0, ended: 0))
        for worker in 0..<24 {
            WorkerThread.start(name: "worker") {
                for round in 0..<200 {
                    var outcome = ExecutionQueue.Outcome.admitted
                    if case .waiting(let turn, _) = queue.arrive() {
                        let hurry = (worker + round) % 3
                        outcome = queue.wait(
                            for: turn, until: MonotonicClock.now + (hurry == 0 ? 20_000 : 5_000_000_000)
                        ) {
                            hurry == 1 && round % 7 == 0
                        }
                    }
                    guard outcome == .admitted else { continue }
                    state.update { state in
                        state.running += 1
                        state.admitted += 1
                        state.most = max(state.most, state.running)
                    }
                    state.update { $0.running -= 1 }
                    queue.leave()
                }
                state.update { $0.ended += 1 }
            }
        }
        let end = state.wait(until: deadline(60_000)) { $0.ended == 24 ? $0 : nil }
        #expect(end?.most ?? 0 <= 4 && end?.admitted ?? 0 > 0, "\(String(describing: end))")
        #expect(queue.counts == (0, 0))
    }
}
