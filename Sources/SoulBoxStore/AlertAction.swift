/// What came of the wish to change an alert.
public enum AlertAction: Sendable, Equatable {
    /// It stands as was wanted, by this or by an earlier wish.
    case done(Alert)
    /// It is resolved, and nobody can take note of it any more.
    case resolved
    case notFound
}
