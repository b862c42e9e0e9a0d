/// What all processes have counted, together.
public struct MetricTotals: Sendable, Equatable {
    var counters: [MetricKey: UInt64] = [:]
    var gauges: [MetricKey: Int64] = [:]

    mutating func add(_ key: MetricKey, _ value: UInt64, isGauge: Bool) {
        if isGauge {
            gauges[key, default: 0] &+= Int64(bitPattern: value)
        } else {
            counters[key, default: 0] &+= value
        }
    }

    mutating func add(_ other: MetricTotals) {
        counters.merge(other.counters, uniquingKeysWith: &+)
        gauges.merge(other.gauges, uniquingKeysWith: &+)
    }

    /// The sum of a family's counters, of those whose labels are as `matching` wants them.
    public func sum(_ family: MetricFamily, where matching: (String) -> Bool = { _ in true }) -> UInt64 {
        counters.reduce(0) { sum, entry in
            entry.key.family == family.name && matching(entry.key.labels) ? sum + entry.value : sum
        }
    }
}
