public import SoulBoxModel

/// A half-open interval of time that a report is about.
///
/// Sums are kept by quarter of an hour and by day (UTC): it begins and ends with a quarter of an hour.
public struct ReportPeriod: Sendable, Equatable {
    /// Microseconds of a quarter of an hour.
    public static let quarter: Int64 = 900_000_000
    /// Microseconds of a day.
    public static let day: Int64 = 86_400_000_000

    /// When it begins.
    public let from: Timestamp
    /// When it has ended.
    public let to: Timestamp

    /// The interval from a moment to a later one.
    public init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    /// The whole days in it, empty when there are none, and the intervals before and after them.
    var parts: (head: Range<Int64>, days: Range<Int64>, tail: Range<Int64>) {
        let (begin, end) = (from.microseconds, to.microseconds)
        let firstDay = ReportPeriod.floor(begin + ReportPeriod.day - 1)
        let lastDay = ReportPeriod.floor(end)
        guard firstDay < lastDay else { return (begin..<end, end..<end, end..<end) }
        return (begin..<firstDay, firstDay..<lastDay, lastDay..<end)
    }

    /// The days that it touches, as `2027-01-31`, in their order.
    public var days: [String] {
        stride(from: ReportPeriod.floor(from.microseconds), to: to.microseconds, by: Int(ReportPeriod.day)).map {
            ReportPeriod.date($0)
        }
    }

    /// The day that a moment is in, as `2027-01-31`.
    static func date(_ microseconds: Int64) -> String {
        String(Timestamp(microseconds: microseconds).rfc3339.prefix(10))
    }

    private static func floor(_ microseconds: Int64) -> Int64 {
        let within = microseconds % day
        return microseconds - (within < 0 ? within + day : within)
    }
}
