/// The header `Idempotency-Key` with what it stands for (draft-ietf-httpapi-idempotency-key-header).
public struct Idempotency: Sendable, Equatable {
    /// The client's key, 1 to 255 characters.
    public var key: String
    /// SHA-256 over method, path and body, 32 bytes.
    public var requestHash: [UInt8]

    /// Makes one.
    public init(key: String, requestHash: [UInt8]) {
        self.key = key
        self.requestHash = requestHash
    }
}
