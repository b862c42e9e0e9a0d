/// A value for a `$n` of a statement.
public enum PostgresParameter: Sendable, Equatable {
    case null
    case text(String)
    case integer(Int64)
    case bool(Bool)
    /// For `bytea`; sent as it is.
    case bytes([UInt8])
    /// For `uuid`, 16 bytes.
    case uuid([UInt8])
    /// For `text[]`.
    case textArray([String])

    /// `null` in place of an absent value.
    public init(_ value: String?) { self = value.map(PostgresParameter.text) ?? .null }
    /// `null` in place of an absent value.
    public init(_ value: Int64?) { self = value.map(PostgresParameter.integer) ?? .null }
    /// `null` in place of an absent value.
    public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    /// `null` in place of an absent value.
    public init(uuid value: [UInt8]?) { self = value.map(PostgresParameter.uuid) ?? .null }
    /// `null` in place of an absent value.
    public init(bytes value: [UInt8]?) { self = value.map(PostgresParameter.bytes) ?? .null }

    /// The value as the wire wants it, and whether that is the binary format.
    var wire: (bytes: [UInt8]?, isBinary: Bool) {
        switch self {
        case .null: (nil, false)
        case .text(let value): (Array(value.utf8) + [0], false)
        case .integer(let value): (Array(String(value).utf8) + [0], false)
        case .bool(let value): (Array((value ? "t" : "f").utf8) + [0], false)
        case .bytes(let value), .uuid(let value): (value, true)
        case .textArray(let values):
            (
                Array(
                    ("{"
                        + values.map { value in
                            "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
                        }.joined(separator: ",") + "}").utf8) + [0], false
            )
        }
    }
}
