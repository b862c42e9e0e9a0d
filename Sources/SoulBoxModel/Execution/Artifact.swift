/// A file that an execution made or changed below `/workspace`.
public struct Artifact: Sendable, Equatable {
    /// Its path below `/workspace`.
    public var path: String

    /// Its size in bytes.
    public var size: Int64

    /// Its bytes; nil when it is too large to be kept.
    public var contents: [UInt8]?

    /// Makes an artifact.
    public init(path: String, size: Int64, contents: [UInt8]?) {
        self.path = path
        self.size = size
        self.contents = contents
    }
}
