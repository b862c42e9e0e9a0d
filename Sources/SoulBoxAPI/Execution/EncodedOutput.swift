internal import SoulBoxModel

/// A stream's bytes as JSON can carry them: text where they are UTF-8, base64 where they are not.
struct EncodedOutput {
    /// The text, or the base64 of the bytes.
    let text: String
    /// `utf-8` or `base64`.
    let encoding: String

    /// Encodes what was kept of a stream.
    init(_ output: ExecutionRecord.Output) {
        var bytes = output.bytes[...]
        // The limit cuts between bytes: half a character at the end must not turn a whole text into base64.
        if output.isTruncated { bytes = bytes.dropLast(EncodedOutput.incompleteTail(bytes)) }
        if let text = String(validating: bytes, as: UTF8.self) {
            self.text = text
            encoding = "utf-8"
        } else {
            text = Base64.encode(output.bytes)
            encoding = "base64"
        }
    }

    /// How many bytes at the end begin a character whose rest is missing.
    private static func incompleteTail(_ bytes: ArraySlice<UInt8>) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.endIndex - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed =
                switch byte {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1
                }
            return needed > length ? length : 0
        }
        return 0
    }
}
