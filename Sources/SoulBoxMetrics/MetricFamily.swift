/// Figures of one name, told apart by their labels, as Prometheus has them.
public struct MetricFamily: Sendable, Hashable {
    /// What kind of figure it is.
    public enum Kind: Sendable, Hashable {
        /// Counts up, and outlives the process that counted.
        case counter
        /// Goes up and down, and is gone with its process.
        case gauge
        /// Counts durations by size; the bounds are in seconds, rising, without the last, which is infinite.
        case histogram([Double])
    }

    /// Its name.
    public let name: String
    /// What it is, for people.
    public let help: String
    /// Its kind.
    public let kind: Kind

    /// Makes one.
    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// Its type as the text format names it.
    public var type: String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    /// The bounds of a histogram's buckets.
    var bounds: [Double] { if case .histogram(let bounds) = kind { bounds } else { [] } }
}
