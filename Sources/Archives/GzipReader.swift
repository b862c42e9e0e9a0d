internal import CZlib

/// Reads one gzip member (RFC 1952) as a stream, with bounded memory.
///
/// Strict: data after the member, a second member among it, is an error. Two readers that disagree on what follows would
/// see two archives in one.
public final class GzipReader {
    private static let chunk = 65_536

    private let source: (Int) throws -> [UInt8]
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var position = 0
    private var isEnded = false

    /// How many bytes came in.
    public private(set) var compressed: Int64 = 0
    /// How many bytes went out.
    public private(set) var uncompressed: Int64 = 0

    /// A reader of what `source` gives: at most that many bytes at a time, none at the end.
    public init(_ source: @escaping (Int) throws -> [UInt8]) throws {
        self.source = source
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard soulbox_inflate_init(stream) == Z_OK else { throw ArchiveError("gzip cannot be read here") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Up to `count` bytes; none at the end.
    public func read(_ count: Int) throws -> [UInt8] {
        while !isEnded {
            try fill()
            var output = [UInt8](repeating: 0, count: min(count, GzipReader.chunk))
            let before = input.count - position
            let (code, left, made) = input.withUnsafeMutableBufferPointer { input in
                output.withUnsafeMutableBufferPointer { output -> (Int32, Int, Int) in
                    stream.pointee.next_in = input.baseAddress.map { $0 + position }
                    stream.pointee.avail_in = UInt32(before)
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(output.count)
                    let code = inflate(stream, Z_NO_FLUSH)
                    return (code, Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
                }
            }
            position += before - left
            uncompressed += Int64(made)
            switch code {
            case Z_STREAM_END:
                isEnded = true
                try checkEnd()
            case Z_OK: break
            case Z_BUF_ERROR where made == 0 && before == 0: throw ArchiveError("the archive is cut off")
            case Z_BUF_ERROR: break
            default: throw ArchiveError("the archive is not gzip, or is damaged")
            }
            if made > 0 { return Array(output[..<made]) }
        }
        return []
    }

    private func fill() throws {
        guard position == input.count else { return }
        input = try source(GzipReader.chunk)
        position = 0
        compressed += Int64(input.count)
    }

    private func checkEnd() throws {
        guard position == input.count, try source(1).isEmpty else {
            throw ArchiveError("something follows the end of the archive")
        }
    }
}
