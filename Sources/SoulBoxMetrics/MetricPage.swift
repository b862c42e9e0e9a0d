/// A page of figures in Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats").
public struct MetricPage {
    /// What the page is served as.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The page so far.
    public private(set) var text = ""

    /// An empty page.
    public init() {}

    /// Adds a family with values of its own.
    public mutating func add(_ family: MetricFamily, _ samples: [(labels: MetricLabels, value: Double)]) {
        guard !samples.isEmpty else { return }
        head(family)
        for sample in samples { line(family.name, sample.labels.text, sample.value) }
    }

    /// Adds a family with one value and no labels; nil adds nothing.
    public mutating func add(_ family: MetricFamily, _ value: Double?) {
        if let value { add(family, [(.none, value)]) }
    }

    /// Adds families with what the processes counted. Histograms without a single duration are left out.
    public mutating func add(_ families: [MetricFamily], _ totals: MetricTotals) {
        var byFamily: [String: [MetricKey]] = [:]
        for key in totals.counters.keys { byFamily[key.family, default: []].append(key) }
        for key in totals.gauges.keys { byFamily[key.family, default: []].append(key) }
        for family in families {
            guard let keys = byFamily[family.name] else { continue }
            switch family.kind {
            case .counter, .gauge:
                head(family)
                for key in keys.sorted(by: { $0.labels < $1.labels }) {
                    let value = totals.counters[key].map { Double($0) } ?? totals.gauges[key].map { Double($0) } ?? 0
                    line(family.name, key.labels, value)
                }
            case .histogram(let bounds): add(family, bounds, Set(keys.map(\.labels)).sorted(), totals)
            }
        }
    }

    private mutating func add(
        _ family: MetricFamily, _ bounds: [Double], _ labels: [String], _ totals: MetricTotals
    ) {
        var hasHead = false
        for labels in labels {
            func count(_ part: String) -> UInt64 {
                totals.counters[MetricKey(family: family.name, labels: labels, part: part)] ?? 0
            }
            let parts = bounds.map { "\($0)" } + ["+Inf"]
            let counts = parts.map(count)
            guard counts.contains(where: { $0 > 0 }) else { continue }
            if !hasHead { head(family) }
            hasHead = true
            var sum: UInt64 = 0
            for (part, count) in zip(parts, counts) {
                sum += count
                let bound = "le=\"\(part)\""
                line(family.name + "_bucket", labels.isEmpty ? bound : labels + "," + bound, Double(sum))
            }
            line(family.name + "_sum", labels, Double(count("sum")) / 1e9)
            line(family.name + "_count", labels, Double(sum))
        }
    }

    private mutating func head(_ family: MetricFamily) {
        let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.type)\n"
    }

    private mutating func line(_ name: String, _ labels: String, _ value: Double) {
        text += name
        if !labels.isEmpty { text += "{\(labels)}" }
        text += " \(MetricPage.number(value))\n"
    }

    /// A number as Go's ParseFloat reads it; whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }
}
