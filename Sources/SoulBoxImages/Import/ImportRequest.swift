public import SoulBoxModel

/// What the operator asks of an import.
public struct ImportRequest: Sendable {
    /// A file, a directory or `docker://` and a reference.
    public var archive: String
    /// The template's identifier.
    public var name: String
    /// The language.
    public var runtime: Runtime
    /// One sentence on it; nil for one made of runtime and version.
    public var description: String?
    /// Which image of an archive that holds several; nil where it holds one.
    public var reference: String?
    /// Variables that every program gets, beside what the image has.
    public var environment: [(name: String, value: String)] = []
    /// The least memory limit with which a program starts; nil for the runtime's own.
    public var minimumMemoryBytes: Int64?
    /// What the image may take, unpacked.
    public var maximumBytes: Int64 = 8 << 30
    /// Whether it may take the place of an image that was built from a recipe.
    public var replace = false
    /// Seconds that each of its steps may take.
    public var seconds = 1800

    /// A request with everything else as it is by default.
    public init(archive: String, name: String, runtime: Runtime) {
        self.archive = archive
        self.name = name
        self.runtime = runtime
    }
}
