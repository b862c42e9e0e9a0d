extension JSONValue {
    /// Appends the value as compact JSON in UTF-8.
    ///
    /// U+2028 and U+2029 are escaped, so that the text is also valid JavaScript; control characters are escaped, so that
    /// one value stays one log line.
    public func write(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value):
            // JSON knows no infinity; whoever computes one has nothing to say.
            output.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): JSONValue.writeString(value, into: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONValue.writeString(member.name, into: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// The value as compact JSON in UTF-8.
    public var bytes: [UInt8] {
        var output: [UInt8] = []
        // Most answers fit; where they do not, the array grows by doubling. A reservation for each string would copy it each time.
        output.reserveCapacity(1024)
        write(into: &output)
        return output
    }

    /// The value as compact JSON.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    private static func writeString(_ text: String, into output: inout [UInt8]) {
        var text = text
        output.append(UInt8(ascii: "\""))
        text.withUTF8 { source in
            var plainStart = 0
            for index in 0..<source.count {
                let byte = source[index]
                // E2 80 A8 and E2 80 A9 are the two line separators.
                let isSeparator =
                    byte == 0xE2 && index + 2 < source.count && source[index + 1] == 0x80
                    && source[index + 2] & 0xFE == 0xA8
                guard
                    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
                        || isSeparator
                else { continue }
                guard index >= plainStart else { continue }
                output.append(contentsOf: source[plainStart..<index])
                plainStart = index + (isSeparator ? 3 : 1)
                writeEscape(of: byte, separator: isSeparator ? source[index + 2] : nil, into: &output)
            }
            output.append(contentsOf: source[plainStart..<source.count])
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(of byte: UInt8, separator: UInt8?, into output: inout [UInt8]) {
        if let separator {
            output.append(contentsOf: (separator == 0xA8 ? "\\u2028" : "\\u2029").utf8)
            return
        }
        switch byte {
        case UInt8(ascii: "\""): output.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
        case 0x0A: output.append(contentsOf: "\\n".utf8)
        case 0x0D: output.append(contentsOf: "\\r".utf8)
        case 0x09: output.append(contentsOf: "\\t".utf8)
        case 0x08: output.append(contentsOf: "\\b".utf8)
        case 0x0C: output.append(contentsOf: "\\f".utf8)
        default:
            let digits = Array("0123456789abcdef".utf8)
            output.append(contentsOf: "\\u00".utf8)
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 0xF)])
        }
    }
}
