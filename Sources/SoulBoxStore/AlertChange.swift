public import SoulBoxModel

/// Something that happened to an alert, and how that stands now.
public struct AlertChange: Sendable, Equatable {
    /// Identifies it, 16 bytes.
    public var id: [UInt8]
    /// What happened.
    public var kind: Alert.Event.Kind
    /// When.
    public var at: Timestamp
    /// The alert as it stands.
    public var alert: Alert
}
