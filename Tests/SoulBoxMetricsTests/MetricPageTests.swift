import Testing

@testable import SoulBoxMetrics

@Suite("The page for Prometheus")
struct MetricPageTests {
    @Test("is as the format wants it: head, labels escaped, histograms cumulative with sum and count")
    func page() {
        let histogram = MetricFamily("t_seconds", .histogram([0.005, 0.1, 1]), "Times\nof \\ things.")
        let counter = MetricFamily("t_total", .counter, "Things.")
        let sheet = MetricSheet.unshared(capacity: 32)
        let labels: MetricLabels = ["path": "/a\"b\\c\nd", "n": "1"]
        var totals = MetricTotals()
        for (part, value) in [("0.005", 2), ("0.1", 0), ("1.0", 3), ("+Inf", 1), ("sum", 4_500_000_000)]
            as [(String, UInt64)]
        {
            totals.add(
                MetricKey(family: histogram.name, labels: labels.text, part: part), value, isGauge: false)
            // A histogram that has counted nothing is not shown.
            totals.add(MetricKey(family: histogram.name, labels: "path=\"/\"", part: part), 0, isGauge: false)
        }
        totals.add(MetricKey(family: counter.name, labels: ""), 0, isGauge: false)
        var page = MetricPage()
        page.add([counter, histogram], totals)
        page.add(MetricFamily("t_up", .gauge, "Up."), 0.5)
        page.add(MetricFamily("t_gone", .gauge, "Gone."), nil)
        #expect(
            page.text == #"""
                # HELP t_total Things.
                # TYPE t_total counter
                t_total 0
                # HELP t_seconds Times\nof \\ things.
                # TYPE t_seconds histogram
                t_seconds_bucket{path="/a\"b\\c\nd",n="1",le="0.005"} 2
                t_seconds_bucket{path="/a\"b\\c\nd",n="1",le="0.1"} 2
                t_seconds_bucket{path="/a\"b\\c\nd",n="1",le="1.0"} 5
                t_seconds_bucket{path="/a\"b\\c\nd",n="1",le="+Inf"} 6
                t_seconds_sum{path="/a\"b\\c\nd",n="1"} 4.5
                t_seconds_count{path="/a\"b\\c\nd",n="1"} 6
                # HELP t_up Up.
                # TYPE t_up gauge
                t_up 0.5

                """#)
        #expect(sheet.counter(counter).value == 0)
    }

    @Test(
        "numbers are what Go reads",
        arguments: [
            (0.0, "0"), (-1, "-1"), (0.1, "0.1"), (1e20, "1e+20"), (123456789012, "123456789012"),
            (1.5e-7, "1.5e-07"), (.infinity, "+Inf"),
        ])
    func number(value: Double, text: String) { #expect(MetricPage.number(value) == text) }
}
