/// What processes counted that are gone.
struct RetiredMetrics {
    private static let head = "soulbox-metrics 1"

    var totals = MetricTotals()
    /// The files that are part of it and may still be there.
    var folded: Set<String> = []

    /// Reads what `text` wrote; anything else counts for nothing.
    init(_ text: String?) {
        guard let lines = text?.split(separator: "\n"), lines.first == RetiredMetrics.head[...] else { return }
        for line in lines.dropFirst() {
            let fields = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard fields.count == 2 else { continue }
            if fields[0] == "folded" {
                folded.insert(String(fields[1]))
            } else if let value = UInt64(fields[0]), let key = MetricKey(text: fields[1]) {
                totals.counters[key, default: 0] &+= value
            }
        }
    }

    mutating func take(_ other: MetricTotals, of name: String) {
        totals.counters.merge(other.counters, uniquingKeysWith: &+)
        folded.insert(name)
    }

    var text: String {
        var lines = [RetiredMetrics.head]
        lines += folded.sorted().map { "folded\t" + $0 }
        lines += totals.counters.map { "\($0.value)\t\($0.key.text)" }.sorted()
        return lines.joined(separator: "\n") + "\n"
    }
}
