/// The labels of one figure, as the text format writes them: `language="python",status="completed"`.
public struct MetricLabels: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The text between the braces.
    public let text: String

    /// No labels.
    public static let none: MetricLabels = [:]

    /// Labels in that order.
    public init(_ pairs: [(String, String)]) {
        text = pairs.map { "\($0.0)=\"\(MetricLabels.escape($0.1))\"" }.joined(separator: ",")
    }

    /// Labels in that order.
    public init(dictionaryLiteral pairs: (String, String)...) { self.init(pairs) }

    init(text: String) { self.text = text }

    /// A value as it stands between quotes: backslash, quote and line feed are escaped (Prometheus, "Exposition formats").
    ///
    /// The separators of ``MetricKey`` and other control characters are no part of any value here.
    static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            case "\u{0}"..."\u{1f}": escaped += "?"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
