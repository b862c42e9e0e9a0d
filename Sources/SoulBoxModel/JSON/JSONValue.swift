/// A JSON value as RFC 8259 defines it.
///
/// Numbers keep the difference that clients rely on: `integer` for a number written without fraction or exponent that
/// fits 64 bits, `number` for any other. The type exists because the root side must not carry Foundation, and because
/// validation has to tell `1`, `1.0`, `"1"` and `true` apart.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// The string, when the value is one.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The integer, when the value was written as one.
    public var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// The number, whichever way it was written.
    public var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The truth value, when the value is one.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements, when the value is an array.
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// The members, when the value is an object.
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// Whether the value is `null`.
    public var isNull: Bool { self == .null }

    /// The member of that name, when the value is an object that has it.
    public subscript(name: String) -> JSONValue? { objectValue?[name] }

    /// `null` in place of an absent value.
    public init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }

    /// `null` in place of an absent value.
    public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }

    /// `null` in place of an absent value.
    public init(_ value: Int64?) { self = value.map(JSONValue.integer) ?? .null }

    /// `null` in place of an absent value.
    public init(_ value: Double?) { self = value.map(JSONValue.number) ?? .null }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number with a fraction.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object with its members in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
