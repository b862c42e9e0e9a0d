public import SoulBoxModel

/// A file of a persistent sandbox, as the isolation service sees it.
public struct FileEntry: Sendable, Equatable {
    /// What it is.
    public enum Kind: String, Sendable {
        case file
        case directory
        /// A symbolic link, wherever it leads.
        case link
        /// A FIFO, a socket or a device: it is listed, and nothing else.
        case other
    }

    /// Path below `/workspace`.
    public var path: String
    /// What it is.
    public var kind: Kind
    /// Size in bytes.
    public var size: Int64
    /// Permissions.
    public var mode: Int
    /// When its contents were changed last.
    public var modifiedAt: Timestamp
    /// When it was made; on a filesystem that does not tell, when it was changed last.
    public var createdAt: Timestamp
    /// Changes whenever the file does.
    public var tag: String
    /// Where a link leads; nil where that was not asked for.
    public var target: String?

    /// Makes an entry.
    public init(
        path: String, kind: Kind, size: Int64, mode: Int, modifiedAt: Timestamp, createdAt: Timestamp, tag: String,
        target: String? = nil
    ) {
        self.target = target
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
        self.modifiedAt = modifiedAt
        self.createdAt = createdAt
        self.tag = tag
    }

    /// The Varlink type `FileEntry`.
    public var json: JSONValue {
        [
            "path": .string(path), "kind": .string(kind.rawValue), "size": .integer(size), "mode": JSONValue(mode),
            "modified_us": .integer(modifiedAt.microseconds), "created_us": .integer(createdAt.microseconds),
            "tag": .string(tag), "target": JSONValue(target),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let path = json["path"]?.stringValue, let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
            let size = json["size"]?.integerValue, let mode = json["mode"]?.integerValue,
            let modified = json["modified_us"]?.integerValue, let created = json["created_us"]?.integerValue,
            let tag = json["tag"]?.stringValue
        else { return nil }
        self.init(
            path: path, kind: kind, size: size, mode: Int(mode), modifiedAt: Timestamp(microseconds: modified),
            createdAt: Timestamp(microseconds: created), tag: tag, target: json["target"]?.stringValue)
    }
}
