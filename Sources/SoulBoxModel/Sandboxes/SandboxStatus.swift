/// Where a persistent sandbox stands, as the API tells it.
public enum SandboxStatus: String, Sendable, CaseIterable {
    /// It is being made, or is becoming what a snapshot holds.
    case creating
    /// Programs can run in it.
    case running
    /// Nothing runs in it; its files are there.
    case stopped
    /// Its processes stand on the disk beside its files, and go on where they were when it is resumed.
    case paused
    /// Nothing runs in it, and nobody asked for that.
    case error
}
