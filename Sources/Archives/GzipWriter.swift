internal import CZlib

/// Writes one gzip member (RFC 1952) as a stream.
public final class GzipWriter {
    private let stream: UnsafeMutablePointer<z_stream>
    private let sink: ([UInt8]) throws -> Void

    /// A writer to `sink`; fast rather than small.
    public init(_ sink: @escaping ([UInt8]) throws -> Void) throws {
        self.sink = sink
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard soulbox_deflate_init(stream, 1) == Z_OK else { throw ArchiveError("gzip cannot be written here") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Writes bytes.
    public func write(_ bytes: [UInt8]) throws { try run(bytes, Z_NO_FLUSH) }

    /// Writes the end.
    public func finish() throws { try run([], Z_FINISH) }

    private func run(_ bytes: [UInt8], _ flush: Int32) throws {
        var input = bytes
        var done = 0
        while true {
            var output = [UInt8](repeating: 0, count: 65_536)
            let count = input.count - done
            let (code, left, made) = input.withUnsafeMutableBufferPointer { input in
                output.withUnsafeMutableBufferPointer { output -> (Int32, Int, Int) in
                    stream.pointee.next_in = input.baseAddress.map { $0 + done }
                    stream.pointee.avail_in = UInt32(count)
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(output.count)
                    let code = deflate(stream, flush)
                    return (code, Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
                }
            }
            guard code >= 0 || code == Z_BUF_ERROR else { throw ArchiveError("gzip cannot be written") }
            done += count - left
            if made > 0 { try sink(Array(output[..<made])) }
            if made < output.count, done == input.count { return }
        }
    }
}
