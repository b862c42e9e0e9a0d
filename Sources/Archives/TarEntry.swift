/// One entry of a tar archive.
public struct TarEntry: Sendable, Equatable {
    /// What it is.
    public enum Kind: Sendable, Equatable {
        case file
        case directory
        /// A symbolic link, and where it leads.
        case link(String)
        /// Another name of an earlier entry's file.
        case hardLink(String)
    }

    /// Its path, relative, in one spelling.
    public var path: String
    /// What it is.
    public var kind: Kind
    /// Bytes of a file.
    public var size: Int64
    /// Permissions: what set-user-id bits the archive has is dropped.
    public var mode: Int
    /// When it was changed last, in seconds since 1970.
    public var modified: Int64

    /// Makes an entry.
    public init(path: String, kind: Kind, size: Int64 = 0, mode: Int = 0o644, modified: Int64 = 0) {
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
        self.modified = modified
    }
}
