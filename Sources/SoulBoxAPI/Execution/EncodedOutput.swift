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
        if output.isTruncated { bytes = bytes.dropLast(IncompleteCharacter.count(atEndOf: bytes)) }
        if let text = String(validating: bytes, as: UTF8.self) {
            self.text = text
            encoding = "utf-8"
        } else {
            text = Base64.encode(output.bytes)
            encoding = "base64"
        }
    }
}
