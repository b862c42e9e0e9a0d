/// What a key may do.
public enum Permission: String, Sendable, CaseIterable {
    case execute
    case sandboxRead = "sandbox_read"
    case sandboxWrite = "sandbox_write"
    case snapshotRead = "snapshot_read"
    case snapshotWrite = "snapshot_write"
    case templateWrite = "template_write"
    case monitorRead = "monitor_read"
    case alertWrite = "alert_write"
    case reportRead = "report_read"
    /// Everything, for every account.
    case admin
}
