internal import Crypto
internal import SoulBoxStore

/// Reads the header `Idempotency-Key`.
enum IdempotencyKey {
    /// What makes a repeated request known; nil when the client sends no key.
    ///
    /// - Parameter body: The bytes that must be the same for the request to be the same.
    static func read(_ request: HTTPRequest, _ body: [UInt8], _ validation: inout Validation) -> Idempotency? {
        guard let key = request.header("Idempotency-Key") else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            validation.fail("Idempotency-Key", "Must be 1 to 255 visible ASCII characters")
            return nil
        }
        var hash = SHA256()
        hash.update(data: Array("\(request.method)\n\(request.rawPath)\n".utf8))
        hash.update(data: body)
        return Idempotency(key: key, requestHash: Array(hash.finalize()))
    }
}
