/// What the rows of a usage report stand for.
public enum UsageGrouping: String, Sendable, CaseIterable {
    /// A day in UTC.
    case day
    case language
    case key
    case sandbox
    case status
    /// Why executions ended as they did.
    case reason
    /// An account; for administrators.
    case account
}
