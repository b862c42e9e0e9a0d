/// What becomes of a sandbox in which nothing has happened for a while.
public enum IdleAction: String, Sendable, CaseIterable {
    case stop
    case delete
    case pause
}
