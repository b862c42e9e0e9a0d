/// Where a persistent sandbox stands, as the API tells it.
public enum SandboxStatus: String, Sendable, CaseIterable {
    /// It is being made.
    case creating
    /// Programs can run in it.
    case running
    /// Nothing runs in it; its files are there.
    case stopped
    /// Nothing runs in it, and nobody asked for that.
    case error
}
