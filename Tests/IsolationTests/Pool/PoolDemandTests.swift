import Testing

@testable import Isolation

@Suite("Demand for ready sandboxes")
struct PoolDemandTests {
    private let second: UInt64 = 1_000_000_000

    @Test("twice the most of a second, fading by half in 30 seconds")
    func peak() {
        var demand = PoolDemand()
        #expect(demand.target(at: 100 * second) == 0)
        for number in 0..<20 { demand.note(at: 100 * second + UInt64(number)) }
        #expect(demand.target(at: 100 * second + 20) == 40)
        #expect(demand.target(at: 130 * second + 20) == 20)
        #expect(demand.target(at: 160 * second + 20) == 10)
        #expect(demand.target(at: 1000 * second) == 0)
        demand.note(at: 1001 * second)
        #expect(demand.target(at: 1001 * second) == 2 && demand.lastTaken == 1001 * second)
    }

    @Test("as many as came within ten seconds, where that is more than twice the most of one")
    func burst() {
        var demand = PoolDemand()
        for number in 0..<400 { demand.note(at: 100 * second + UInt64(number) * 10_000_000) }
        let end = 104 * second
        #expect((399...400).contains(demand.target(at: end)))
        #expect((199...200).contains(demand.target(at: end + 30 * second)))
        // The next ones are counted by themselves.
        for number in 0..<30 { demand.note(at: end + 120 * second + UInt64(number) * 100_000_000) }
        #expect((29...31).contains(demand.target(at: end + 123 * second)))
    }

    @Test("what comes together counts together, whenever something else came before")
    func straddling() {
        for offset in stride(from: UInt64(0), to: 10, by: 1) {
            var demand = PoolDemand()
            demand.note(at: (100 - offset) * second)
            // For four seconds.
            for number in 0..<400 { demand.note(at: 100 * second + UInt64(number) * 10_000_000) }
            #expect((399...402).contains(demand.target(at: 104 * second)), "\(offset) s")
        }
    }

    @Test("a thread that looked at the clock before another wrote down what it saw harms nothing")
    func order() {
        var demand = PoolDemand()
        demand.note(at: 10 * second)
        demand.note(at: 9 * second)
        #expect(demand.target(at: 8 * second) == 4 && demand.lastTaken == 10 * second)
    }
}
