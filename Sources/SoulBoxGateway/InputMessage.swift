internal import SoulBoxAPI
internal import SoulBoxModel

/// What a message of the type `stdin` holds.
enum InputMessage {
    /// The bytes of `data`, which is text, or base64 where `encoding` says so.
    static func bytes(_ message: JSONObject) throws(APIError) -> [UInt8] {
        guard let text = message["data"]?.stringValue else { throw .malformed("data", "Must be a string") }
        switch message["encoding"] {
        case nil, .null?, "utf-8"?: return Array(text.utf8)
        case "base64"?:
            guard let bytes = Base64.decode(text) else { throw .malformed("data", "Is not base64") }
            return bytes
        default: throw .malformed("encoding", "Must be one of: utf-8, base64")
        }
    }

    /// More waits than is kept, or there is nobody to take it.
    static let refusal = APIError.limitExceeded(
        "The program does not take its input, or it has none any more", retryAfter: 1)
}
