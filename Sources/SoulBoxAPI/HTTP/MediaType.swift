/// A media type that an answer may have, and which of several a client wants (RFC 9110, sections 8.3.1 and 12.5.1).
struct MediaType: Sendable, Equatable {
    /// As `text`.
    let type: String
    /// As `csv`.
    let subtype: String
    /// As `header=present`; in lower case.
    let parameters: [String: String]

    /// The value of `Content-Type`.
    var text: String {
        parameters.sorted { $0.key < $1.key }.reduce("\(type)/\(subtype)") { "\($0); \($1.key)=\($1.value)" }
    }

    /// The one of `offered` that an `Accept` field wants most; nil when it wants none of them.
    ///
    /// The most specific range that fits a type tells its quality; of equal quality is the one that was named more
    /// specifically, then the first. An absent or empty field takes the first.
    static func best(of offered: [MediaType], accept: String?) -> MediaType? {
        guard let accept, !accept.allSatisfy(\.isWhitespace) else { return offered.first }
        let ranges = split(accept, at: ",").compactMap(Range.init)
        var best: (type: MediaType, quality: Int, specificity: Int)?
        for type in offered {
            guard let range = ranges.filter({ $0.includes(type) }).max(by: { $0.specificity < $1.specificity }),
                range.quality > 0
            else { continue }
            if let best, (best.quality, best.specificity) >= (range.quality, range.specificity) { continue }
            best = (type, range.quality, range.specificity)
        }
        return best?.type
    }

    /// One element of an `Accept` field.
    private struct Range {
        let type: String
        let subtype: String
        let parameters: [String: String]
        /// In thousandths.
        let quality: Int

        /// Reads an element; nil when it is malformed.
        init?(_ text: String) {
            var parts = MediaType.split(text, at: ";").map { MediaType.trim($0) }
            let names = parts.removeFirst().lowercased().split(separator: "/", omittingEmptySubsequences: false)
            guard names.count == 2, names.allSatisfy({ !$0.isEmpty }), names[0] != "*" || names[1] == "*" else {
                return nil
            }
            (type, subtype) = (String(names[0]), String(names[1]))
            var parameters: [String: String] = [:]
            var quality = 1000
            for part in parts where !part.isEmpty {
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2 else { return nil }
                let (name, value) = (pair[0].lowercased(), MediaType.unquote(String(pair[1])).lowercased())
                guard name == "q" else {
                    parameters[name] = value
                    continue
                }
                guard let read = Range.quality(value) else { return nil }
                quality = read
            }
            self.parameters = parameters
            self.quality = quality
        }

        var specificity: Int { (type == "*" ? 0 : subtype == "*" ? 1 : 2) + parameters.count }

        func includes(_ media: MediaType) -> Bool {
            (type == "*" || type == media.type) && (subtype == "*" || subtype == media.subtype)
                && parameters.allSatisfy { media.parameters[$0.key] == $0.value }
        }

        /// A weight of at most three decimals (section 12.4.2), in thousandths.
        private static func quality(_ text: String) -> Int? {
            let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            let decimals = parts.count > 1 ? String(parts[1]) : ""
            guard parts[0] == "0" || parts[0] == "1", decimals.utf8.count <= 3,
                decimals.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let thousandths = Int((decimals + "000").prefix(3))
            else { return nil }
            let quality = (parts[0] == "1" ? 1000 : 0) + thousandths
            return quality <= 1000 ? quality : nil
        }
    }

    /// The pieces between separators that stand outside of quotes.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var pieces = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if !isQuoted, character == separator {
                pieces.append("")
                continue
            }
            if isEscaped {
                isEscaped = false
            } else if character == "\"" {
                isQuoted.toggle()
            } else if isQuoted, character == "\\" {
                isEscaped = true
            }
            pieces[pieces.count - 1].append(character)
        }
        return pieces
    }

    private static func trim(_ text: String) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    private static func unquote(_ text: String) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        return String(text.dropFirst().dropLast()).replacing("\\", with: "")
    }
}

extension MediaType {
    /// JSON, as all answers have it.
    static let json = MediaType(type: "application", subtype: "json", parameters: ["charset": "utf-8"])
    /// Comma-separated values with a line of names (RFC 4180).
    static let csv = MediaType(type: "text", subtype: "csv", parameters: ["charset": "utf-8", "header": "present"])
}
