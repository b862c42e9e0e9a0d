internal import SoulBoxModel

/// The body of a request, read piece by piece.
public protocol BodyReader {
    /// Its announced length in bytes; nil when none was announced.
    var contentLength: Int? { get }

    /// Reads the next bytes into a buffer that is not empty.
    ///
    /// - Returns: How many bytes were read; 0 at the end.
    /// - Throws: A `BodyError`.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodyError) -> Int
}

/// Why a body could not be read to its end.
public enum BodyError: Error, Sendable, Equatable {
    /// Fewer bytes came than were announced.
    case tooShort
    /// The connection broke.
    case broken
    /// There are more bytes than the caller takes.
    case tooLarge(limit: Int)
}

extension BodyReader {
    /// The whole body.
    ///
    /// - Throws: `tooLarge` as soon as it is known to have more than `limit` bytes.
    func readAll(limit: Int) throws(BodyError) -> [UInt8] {
        if let contentLength, contentLength > limit { throw .tooLarge(limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(contentLength ?? 0, limit))
        while true {
            let result = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { chunk in
                Result { () throws(BodyError) in
                    let count = try read(into: chunk)
                    bytes.append(contentsOf: chunk[..<count])
                    return count
                }
            }
            guard try result.get() > 0 else { return bytes }
            guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        }
    }
}

extension BodyError {
    /// The failure as the API reports it.
    var apiError: APIError {
        switch self {
        case .tooShort: APIError(.validationError, "The request body is shorter than its announced length")
        case .broken: APIError(.validationError, "The request body could not be read")
        case .tooLarge(let limit):
            APIError(
                .validationError, status: 413, "The request body is too large",
                details: JSONObject([("limit_bytes", JSONValue(limit))]))
        }
    }
}
