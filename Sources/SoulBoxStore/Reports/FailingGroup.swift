/// Executions that have something in common, and how many of them failed.
public struct FailingGroup: Sendable, Equatable {
    /// What they have in common.
    public enum Dimension: String, Sendable, CaseIterable {
        case language
        case key
        case sandbox
    }

    /// What they have in common.
    public var dimension: Dimension
    /// The language; nil for the others.
    public var language: String?
    /// The key or sandbox, 16 bytes; nil for a language.
    public var id: [UInt8]?
    /// What that is called; nil when it is gone, or another account's.
    public var name: String?
    /// How many have ended.
    public var executions: Int64
    /// How many of them as `failed`.
    public var failed: Int64
    /// How many of them as `timeout`.
    public var timeout: Int64
}
