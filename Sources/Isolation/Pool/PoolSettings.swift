/// How many sandboxes stand ready.
public struct PoolSettings: Sendable, Equatable {
    /// Whether any do.
    public var isEnabled: Bool
    /// The fewest of each system template, whatever is asked for.
    public var minimum: Int
    /// The most memory that all together may take, in bytes.
    public var memoryBytes: UInt64

    /// Makes settings.
    public init(isEnabled: Bool, minimum: Int, memoryBytes: UInt64) {
        self.isEnabled = isEnabled
        self.minimum = minimum
        self.memoryBytes = memoryBytes
    }

    /// None: every sandbox is made when it is asked for.
    public static let none = PoolSettings(isEnabled: false, minimum: 0, memoryBytes: 0)
}
