import SoulBoxAPI

/// A request's body that is already in memory.
final class MemoryBody: BodyReader {
    private var rest: ArraySlice<UInt8>
    private let failure: BodyError?
    let contentLength: Int?

    /// - Parameter failure: Thrown where the body ends.
    init(_ bytes: [UInt8], failure: BodyError? = nil, announced: Int? = nil) {
        rest = bytes[...]
        self.failure = failure
        contentLength = announced ?? bytes.count
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodyError) -> Int {
        if rest.isEmpty, let failure { throw failure }
        let count = min(rest.count, buffer.count)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
