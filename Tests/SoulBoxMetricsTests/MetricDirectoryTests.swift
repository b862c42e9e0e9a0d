import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

@testable import SoulBoxMetrics

@Suite("Counters of several processes")
struct MetricDirectoryTests {
    private let temporary: TemporaryMetrics
    private let family = MetricFamily("test_total", .counter, "A test.")
    private let gauge = MetricFamily("test_open", .gauge, "A test.")

    init() throws { temporary = try TemporaryMetrics() }

    @Test("adds up the files of those that live; their counters count on and their gauges move")
    func sums() throws {
        let sheets = try ["a", "b"].map { try MetricSheet(in: temporary.directory, name: $0, capacity: 8) }
        for (index, sheet) in sheets.enumerated() {
            sheet.counter(family, ["kind": "x"]).add(UInt64(index + 1))
            sheet.counter(family, ["kind": "y"]).add(10)
            sheet.gauge(gauge).move(by: index == 0 ? 5 : -2)
        }
        var totals = try temporary.directory.collect()
        #expect(totals.sum(family) == 23 && totals.sum(family) { $0.contains("x") } == 3)
        #expect(totals.gauges == [MetricKey(family: "test_open", labels: ""): 3])
        sheets[0].counter(family, ["kind": "x"]).add()
        totals = try temporary.directory.collect()
        #expect(totals.sum(family) == 24 && temporary.files == ["a", "b"])
        #expect(temporary.directory.began != nil)
    }

    @Test("what a dead process counted is kept, once, and its gauges are not")
    func retired() throws {
        let living = try MetricSheet(in: temporary.directory, name: "living", capacity: 8)
        living.counter(family).add(7)
        living.gauge(gauge).set(3)
        for number in 0..<3 { try temporary.leave("dead-\(number)", "living") }
        for _ in 0..<3 {
            let totals = try temporary.directory.collect()
            #expect(totals.sum(family) == 28)
            #expect(totals.gauges.values.reduce(0, +) == 3)
            #expect(temporary.files == ["living"])
        }
        try temporary.leave("dead-3", "living")
        #expect(try temporary.directory.collect().sum(family) == 35)
    }

    @Test("a reader that dies before it removes a file leaves nothing that is added twice")
    func interrupted() throws {
        let living = try MetricSheet(in: temporary.directory, name: "living", capacity: 8)
        living.counter(family).add(5)
        try temporary.leave("dead", "living")
        #expect(try temporary.directory.collect().sum(family) == 10)
        // As if the file had not been removed yet: what is retired names it.
        try temporary.leave("dead", "living")
        #expect(try temporary.directory.collect().sum(family) == 10)
        #expect(temporary.files == ["living"])
    }

    @Test("what is no counters' file counts for nothing and goes; a file that is cut short is no harm")
    func garbage() throws {
        let sheet = try MetricSheet(in: temporary.directory, name: "living", capacity: 8)
        sheet.counter(family).add(2)
        try Data("garbage".utf8).write(to: URL(filePath: temporary.directory.path + "/text"))
        try Data(repeating: 0xff, count: 5000).write(to: URL(filePath: temporary.directory.path + "/ones"))
        var cut = try Data(contentsOf: URL(filePath: temporary.directory.path + "/living"))
        // Claims more records than there are.
        cut[8] = 0xff
        cut[9] = 0xff
        try cut.prefix(500).write(to: URL(filePath: temporary.directory.path + "/cut"))
        #expect(try temporary.directory.collect().sum(family) == 4)
        #expect(temporary.files == ["living"])
        try Data("not ours\n9\ttest_total\u{1f}\u{1f}\n".utf8)
            .write(to: URL(filePath: temporary.directory.path + "/retired"))
        #expect(try temporary.directory.collect().sum(family) == 2)
    }

    @Test("additions of many threads are all counted, while others read")
    func parallel() throws {
        let sheet = try MetricSheet(in: temporary.directory, name: "a", capacity: 32)
        let counter = sheet.counter(family)
        let histogram = sheet.histogram(MetricFamily("test_seconds", .histogram([0.001, 0.01]), "A test."))
        let directory = temporary.directory
        let family = family
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var last: UInt64 = 0
            for number in 0..<20_000 {
                counter.add()
                histogram.observe(nanoseconds: UInt64(number % 3) * 5_000_000)
                guard thread == 0, number % 500 == 0 else { continue }
                let seen = (try? directory.collect().sum(family)) ?? 0
                #expect(seen >= last)
                last = seen
            }
        }
        let totals = try temporary.directory.collect()
        #expect(totals.sum(family) == 160_000)
        func part(_ name: String) -> UInt64 {
            totals.counters[MetricKey(family: "test_seconds", labels: "", part: name)] ?? 0
        }
        // 0, 5 and 10 ms in turn: 10 is within the bound of 10.
        let zeros = UInt64(8 * 6667)
        #expect(part("0.001") == zeros)
        #expect(part("0.01") == 160_000 - zeros)
        #expect(part("+Inf") == 0)
        #expect(part("sum") == 8 * (6667 * 5_000_000 + 6666 * 10_000_000))
    }

    @Test("the same labels are the same counter; all that executions have fits")
    func registration() throws {
        let sheet = try MetricSheet(in: temporary.directory, name: "a")
        sheet.counter(family, ["a": "1"]).add()
        #expect(sheet.counter(family, ["a": "1"]).value == 1 && sheet.counter(family, ["a": "2"]).value == 0)
        let executions = ExecutionMetrics(sheet)
        executions.note(.java, .oom)
        var record = ExecutionRecord(
            id: "exec_1", status: .completed, runtime: .python, template: "basic-python", limits: ExecutionLimits(),
            createdAt: Timestamp(microseconds: 1_000_000))
        record.startedAt = Timestamp(microseconds: 1_004_000)
        record.termination = Termination(reason: .exited)
        record.wallTimeMicroseconds = 20_000
        executions.note(record)
        let totals = try temporary.directory.collect()
        #expect(totals.sum(.executions) == 2)
        #expect(
            totals.sum(.executions) { $0 == "language=\"java\",status=\"failed\",reason=\"oom\"" } == 1)
        func part(_ family: MetricFamily, _ name: String) -> UInt64? {
            totals.counters[MetricKey(family: family.name, labels: "language=\"python\"", part: name)]
        }
        #expect(part(.startup, "0.005") == 1 && part(.startup, "sum") == 4_000_000)
        #expect(part(.executionDuration, "0.025") == 1 && part(.executionDuration, "0.01") == 0)
    }
}
