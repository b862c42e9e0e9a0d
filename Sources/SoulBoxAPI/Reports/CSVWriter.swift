/// Comma-separated values as RFC 4180 defines them: lines end with CR LF, the first one names the fields.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it: names of keys and sandboxes are
/// chosen by people, and whoever opens the file may be somebody else.
struct CSVWriter {
    private static let formulaStarts: Set<UInt8> = Set("=+-@\t\r\n".utf8)

    /// What was written.
    private(set) var bytes: [UInt8] = []

    /// Adds a line of texts and numbers; nil is an empty field.
    mutating func line(_ fields: [Field]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            switch field {
            case .none: break
            case .number(let text): bytes.append(contentsOf: text.utf8)
            case .text(let text): append(text)
            }
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// One field.
    enum Field: Equatable {
        case none
        /// Digits, which are written as they are.
        case number(String)
        case text(String)
    }

    private mutating func append(_ text: String) {
        let isFormula = text.utf8.first.map(CSVWriter.formulaStarts.contains) ?? false
        let guarded = isFormula ? "'" + text : text
        guard guarded.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else {
            bytes.append(contentsOf: guarded.utf8)
            return
        }
        bytes.append(contentsOf: ("\"" + guarded.replacing("\"", with: "\"\"") + "\"").utf8)
    }
}
