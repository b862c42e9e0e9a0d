/// What is wrong with a component, in words for whoever may know: no paths, no pids, no SQL.
public struct HealthProblem: Error, Sendable, Equatable {
    /// The words.
    public let message: String

    /// Makes one.
    public init(_ message: String) { self.message = message }
}
