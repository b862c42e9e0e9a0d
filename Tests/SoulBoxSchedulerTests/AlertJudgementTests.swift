import SoulBoxModel
import SoulBoxStore
import Testing

@testable import SoulBoxScheduler

@Suite("What a rule makes of measurements")
struct AlertJudgementTests {
    private static let second: Int64 = 1_000_000
    private static let now: Int64 = 1_800_000_000 * second

    private func rule(
        _ metric: String = "cpu_usage", _ comparison: AlertRule.Comparison = .above, _ threshold: Double = 90,
        for seconds: Int64 = 60
    ) -> AlertRule {
        AlertRule(
            name: "r", metric: metric, comparison: comparison, threshold: threshold, forSeconds: seconds,
            severity: .warning)
    }

    /// A reading of measurements of every five seconds, the newest `age` seconds old, over so many seconds.
    private func reading(
        _ rule: AlertRule, over seconds: Int64, age: Int64 = 2, holds: Bool = true, count: Int64? = nil,
        ended: Int64 = 0, metric: String = "cpu_usage", handResolved: Int64? = nil, isOpen: Bool = false
    ) -> AlertReading {
        let newest = AlertJudgementTests.now - age * AlertJudgementTests.second
        return AlertReading(
            rule: rule, metric: metric, node: "n", now: Timestamp(microseconds: AlertJudgementTests.now),
            newestAt: Timestamp(microseconds: newest), value: 95,
            firstAt: Timestamp(microseconds: newest - seconds * AlertJudgementTests.second),
            count: count ?? seconds / 5 + 1, holds: holds, endCount: ended > 0 ? ended : 3, hasEnded: ended > 0,
            handResolvedAt: handResolved.map {
                Timestamp(microseconds: AlertJudgementTests.now - $0 * AlertJudgementTests.second)
            }, alert: isOpen ? [UInt8](repeating: 1, count: 16) : nil)
    }

    private func judge(_ reading: AlertReading, mayJudgeSilence: Bool = true) -> AlertJudgement {
        AlertJudgement(reading, mayJudgeSilence: mayJudgeSilence)
    }

    @Test("it must hold for the whole time, in what was measured, without too much missing")
    func duration() {
        #expect(judge(reading(rule(), over: 60)) == .trigger(95))
        #expect(judge(reading(rule(), over: 56)) == .trigger(95), "a measurement may come a little late")
        #expect(judge(reading(rule(), over: 55)) == .nothing, "not for so long yet")
        #expect(judge(reading(rule(), over: 60, holds: false)) == .nothing, "one of them did not hold")
        #expect(judge(reading(rule(), over: 60, count: 6)) == .trigger(95), "half of the measurements are there")
        #expect(judge(reading(rule(), over: 60, count: 5)) == .nothing, "too many are missing")
        #expect(judge(reading(rule(for: 0), over: 0)) == .trigger(95), "at once")
    }

    @Test("no measurement, no judgement")
    func missing() {
        #expect(judge(reading(rule(), over: 60, age: 31)) == .nothing)
        #expect(judge(reading(rule(), over: 60, age: 31, holds: false, ended: 3, isOpen: true)) == .nothing)
        #expect(judge(reading(rule(), over: 60, age: 3600)) == .nothing)
    }

    @Test("an open alert ends with three measurements beyond its condition, and is not raised twice")
    func end() {
        #expect(judge(reading(rule(), over: 60, holds: false, ended: 3, isOpen: true)) == .resolve)
        #expect(judge(reading(rule(), over: 60, holds: false, ended: 2, isOpen: true)) == .nothing)
        #expect(judge(reading(rule(), over: 60, holds: false, isOpen: true)) == .nothing)
        #expect(judge(reading(rule(), over: 60, isOpen: true)) == .nothing)
    }

    @Test("one that was resolved by hand comes back only when the condition has held anew for a while")
    func byHand() {
        #expect(judge(reading(rule(), over: 60, handResolved: 290)) == .nothing)
        #expect(judge(reading(rule(), over: 60, handResolved: 303)) == .trigger(95))
        #expect(judge(reading(rule(for: 600), over: 600, handResolved: 500)) == .nothing)
        #expect(judge(reading(rule(for: 600), over: 600, handResolved: 603)) == .trigger(95))
    }

    @Test("a component that says nothing for a minute is down, unless nobody listened")
    func silence() {
        let down = rule("component_up", .below, 1, for: 15)
        let metric = "component_gateway_up"
        #expect(judge(reading(down, over: 15, age: 59, metric: metric)) == .nothing)
        #expect(judge(reading(down, over: 15, age: 61, metric: metric)) == .trigger(0))
        #expect(judge(reading(down, over: 15, age: 61, metric: metric), mayJudgeSilence: false) == .nothing)
        #expect(judge(reading(down, over: 15, age: 61, metric: metric, isOpen: true)) == .nothing)
        #expect(judge(reading(rule("component_up", .above, 0), over: 60, age: 61, metric: metric)) == .nothing)
        #expect(judge(reading(down, over: 15, age: 61, metric: metric, handResolved: 100)) == .nothing)
        let late = rule("component_up", .below, 1, for: 120)
        #expect(judge(reading(late, over: 15, age: 100, metric: metric)) == .nothing)
        #expect(reading(down, over: 15, metric: metric).subject == "gateway@n")
        #expect(reading(rule(), over: 15).subject == "n")
    }
}
