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

    private static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// Those of the names that are known.
    static func set(of names: [String]) -> Set<Permission> { Set(names.compactMap { named[$0] }) }
}
