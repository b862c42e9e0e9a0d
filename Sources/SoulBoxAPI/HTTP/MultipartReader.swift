internal import SoulBoxModel

/// Reads a `multipart/form-data` body part by part (RFC 7578), with bounded memory.
final class MultipartReader {
    /// The head of one part.
    struct Part: Equatable {
        /// The name of the form's field.
        let name: String
        /// The name of the file; nil for a plain field.
        let fileName: String?
    }

    private static let chunk = 65_536
    private static let maximumHead = 16_384

    private let body: any BodyReader
    private let delimiter: [UInt8]
    private var buffer: [UInt8]
    private var start = 0
    private var isEnded = false
    /// Whether the bytes at `start` belong to a part; what stands before the first delimiter counts as one.
    private var isInPart = true

    /// A reader of a body with that content type; nil when it is another one, or names no boundary.
    init?(_ body: any BodyReader, contentType: String) {
        let parts = contentType.split(separator: ";").map { $0.trimming() }
        guard parts.first?.lowercased() == "multipart/form-data" else { return nil }
        let value = parts.dropFirst().compactMap { part -> String? in
            guard part.lowercased().hasPrefix("boundary=") else { return nil }
            let text = part.dropFirst(9)
            return text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
                ? String(text.dropFirst().dropLast()) : String(text)
        }.first
        // RFC 2046, section 5.1.1.
        guard let value, (1...70).contains(value.utf8.count) else { return nil }
        self.body = body
        delimiter = Array("\r\n--\(value)".utf8)
        // As if a line had ended before the first delimiter.
        buffer = [0x0D, 0x0A]
    }

    /// The next part; nil after the last one.
    func next() throws(APIError) -> Part? {
        // What is left of the part before, or what stands before the first one.
        while try read({ _ throws(APIError) in }) {}
        guard try available(2) else { throw MultipartReader.malformed("It ends without its closing delimiter") }
        if buffer[start] == 0x2D, buffer[start + 1] == 0x2D { return nil }
        guard buffer[start] == 0x0D, buffer[start + 1] == 0x0A else {
            throw MultipartReader.malformed("A delimiter is followed by something else")
        }
        start += 2
        let part = try head()
        isInPart = true
        return part
    }

    /// Gives `body` some of the part's bytes; false when there are no more.
    func read(_ body: (ArraySlice<UInt8>) throws(APIError) -> Void) throws(APIError) -> Bool {
        guard isInPart else { return false }
        while true {
            if let end = find() {
                if end > start {
                    let piece = buffer[start..<end]
                    start = piece.endIndex
                    try body(piece)
                    return true
                }
                start = end + delimiter.count
                isInPart = false
                return false
            }
            // All but what may be the beginning of a delimiter.
            let sure = buffer.count - start - (delimiter.count - 1)
            if sure > 0 {
                let piece = buffer[start..<(start + sure)]
                start = piece.endIndex
                try body(piece)
                return true
            }
            guard try fill() else { throw MultipartReader.malformed("It ends without its closing delimiter") }
        }
    }

    /// A whole plain field.
    func text(limit: Int) throws(APIError) -> String {
        var bytes: [UInt8] = []
        while try read({ (piece) throws(APIError) in
            guard bytes.count + piece.count <= limit else { throw MultipartReader.malformed("A field is too long") }
            bytes.append(contentsOf: piece)
        }) {}
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MultipartReader.malformed("A field is not UTF-8")
        }
        return text
    }

    private func head() throws(APIError) -> Part {
        var lines: [String] = []
        var length = 0
        while true {
            let line = try line()
            length += line.utf8.count
            guard length <= MultipartReader.maximumHead else { throw MultipartReader.malformed("A head is too long") }
            if line.isEmpty { break }
            lines.append(line)
        }
        for line in lines where line.lowercased().hasPrefix("content-disposition:") {
            let fields = MultipartReader.parameters(line)
            guard let name = fields["name"] else { break }
            return Part(name: name, fileName: fields["filename"])
        }
        throw MultipartReader.malformed("A part has no name")
    }

    private func line() throws(APIError) -> String {
        var end = start
        while true {
            while end + 1 < buffer.count {
                if buffer[end] == 0x0D, buffer[end + 1] == 0x0A {
                    let text = String(decoding: buffer[start..<end], as: UTF8.self)
                    start = end + 2
                    return text
                }
                end += 1
            }
            let offset = end - start
            guard offset <= MultipartReader.maximumHead, try fill() else {
                throw MultipartReader.malformed("A head is too long or has no end")
            }
            end = start + offset
        }
    }

    /// The quoted parameters of a line, with `\"` and `%22` for a quotation mark (WHATWG HTML, multipart/form-data).
    private static func parameters(_ line: String) -> [String: String] {
        var found: [String: String] = [:]
        var rest = line[...]
        while let equals = rest.firstRange(of: "=\"") {
            let name = rest[..<equals.lowerBound].split(whereSeparator: { $0 == ";" || $0 == " " || $0 == ":" }).last
            var value = ""
            var index = equals.upperBound
            while index < rest.endIndex, rest[index] != "\"" {
                if rest[index] == "\\", let next = rest.index(index, offsetBy: 1, limitedBy: rest.endIndex),
                    next < rest.endIndex, rest[next] == "\"" || rest[next] == "\\"
                {
                    index = next
                }
                value.append(rest[index])
                index = rest.index(after: index)
            }
            if let name { found[name.lowercased()] = value.replacing("%22", with: "\"") }
            guard index < rest.endIndex else { break }
            rest = rest[rest.index(after: index)...]
        }
        return found
    }

    private func find() -> Int? {
        guard buffer.count - start >= delimiter.count else { return nil }
        var index = start
        let last = buffer.count - delimiter.count
        while index <= last {
            guard let candidate = buffer[index...last].firstIndex(of: 0x0D) else { return nil }
            if buffer[candidate..<(candidate + delimiter.count)].elementsEqual(delimiter) { return candidate }
            index = candidate + 1
        }
        return nil
    }

    private func available(_ count: Int) throws(APIError) -> Bool {
        while buffer.count - start < count { guard try fill() else { return false } }
        return true
    }

    private func fill() throws(APIError) -> Bool {
        guard !isEnded else { return false }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        let result = withUnsafeTemporaryAllocation(byteCount: MultipartReader.chunk, alignment: 16) { chunk in
            Result { () throws(BodyError) in
                let count = try body.read(into: chunk)
                buffer.append(contentsOf: chunk[..<count])
                return count
            }
        }
        switch result {
        case .success(0):
            isEnded = true
            return false
        case .success: return true
        case .failure(let error): throw error.apiError
        }
    }

    private static func malformed(_ reason: String) -> APIError {
        APIError(
            .validationError, "The request body is not valid multipart/form-data",
            details: JSONObject([("field", "body"), ("reason", .string(reason))]))
    }
}

extension Substring {
    fileprivate func trimming() -> String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
