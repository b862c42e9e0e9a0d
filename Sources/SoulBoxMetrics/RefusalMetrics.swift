/// Requests that a limit refused.
public struct RefusalMetrics: Sendable {
    /// Which limit.
    public enum Limit: String, Sendable, CaseIterable {
        case standard, execution, upload, quota, authentication
    }

    private let counters: [Limit: MetricCounter]

    /// Counts on that sheet.
    public init(_ sheet: MetricSheet) {
        counters = Dictionary(
            uniqueKeysWithValues: Limit.allCases.map { ($0, sheet.counter(.refusals, ["limit": $0.rawValue])) })
    }

    /// Counts one.
    public func note(_ limit: Limit) { counters[limit]?.add() }
}
