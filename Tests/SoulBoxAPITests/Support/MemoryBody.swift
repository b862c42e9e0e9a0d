import SoulBoxAPI

/// A request's body that is already in memory.
final class MemoryBody: BodyReader {
    private var rest: ArraySlice<UInt8>
    private let failure: BodyError?
    private let piece: Int
    let contentLength: Int?

    /// - Parameters:
    ///   - failure: Thrown where the body ends.
    ///   - piece: The most bytes that one read gives.
    init(_ bytes: [UInt8], failure: BodyError? = nil, announced: Int? = nil, piece: Int = .max) {
        self.piece = piece
        rest = bytes[...]
        self.failure = failure
        contentLength = announced ?? bytes.count
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodyError) -> Int {
        if rest.isEmpty, let failure { throw failure }
        let count = min(rest.count, buffer.count, piece)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
