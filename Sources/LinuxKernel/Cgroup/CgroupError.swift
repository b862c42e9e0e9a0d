/// A host without the cgroups that sandboxes need.
public struct CgroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is missing.
    public let missing: [String]

    /// For people.
    public var description: String { "missing: " + missing.joined(separator: ", ") }
}
