internal import Crypto
internal import LinuxKernel

/// The digest of a file of which most may be holes: SHA-256 over its size and over the digest of each piece that is not all
/// zeros, with the piece's number before it; that of a piece is SHA-256 over each of its blocks that is not all zeros, with the
/// block's number before it.
///
/// What of the zeros is a hole and what was written makes no difference, so that a copy made by any tool has the same digest,
/// and a disk of a gigabyte with a megabyte in it is read in a moment. Pieces are read by several threads.
enum SparseDigest {
    /// Bytes of a block.
    static let block: Int64 = 64 << 10
    /// Bytes of a piece, whole blocks.
    private static let pieceBytes: Int64 = 16 << 20

    private struct Piece: Sendable {
        let number: Int64
        var extents: [Range<Int64>]
    }

    private struct Part: Sendable {
        /// Nil when all is zeros.
        var digest: [UInt8]?
        var bytes: Int64 = 0
    }

    /// The digest of a file, 64 hexadecimal digits; where `target` is given, it becomes a copy of the file on the way.
    static func read(
        _ file: CInt, copyingTo target: CInt? = nil, progress: (Int64) -> Void = { _ in }
    ) throws(SystemCallError) -> String {
        let size = try Files.status(of: file).size
        if let target { try Files.setSize(of: target, size) }
        let pieces = pieces(of: try SparseFile.extents(of: file))
        let parts = try Pieces.map(
            pieces.count,
            { (index) throws(SystemCallError) in try read(pieces[index], of: file, copyingTo: target) },
            done: { progress($0.bytes) })
        var hash = SHA256()
        append(UInt64(bitPattern: size), to: &hash)
        for (piece, part) in zip(pieces, parts) {
            guard let digest = part.digest else { continue }
            append(UInt64(bitPattern: piece.number), to: &hash)
            hash.update(data: digest)
        }
        return hexadecimal(hash.finalize())
    }

    /// What of a file's data is in which piece, in order.
    private static func pieces(of extents: [Range<Int64>]) -> [Piece] {
        var found: [Piece] = []
        for extent in extents {
            var begin = extent.lowerBound
            while begin < extent.upperBound {
                let number = begin / pieceBytes
                let end = min(extent.upperBound, (number + 1) * pieceBytes)
                if found.last?.number != number { found.append(Piece(number: number, extents: [])) }
                found[found.count - 1].extents.append(begin..<end)
                begin = end
            }
        }
        return found
    }

    private static func read(_ piece: Piece, of file: CInt, copyingTo target: CInt?) throws(SystemCallError) -> Part {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(block), alignment: 4096)
        defer { buffer.deallocate() }
        var part = Part()
        var hash = SHA256()
        var isEmpty = true
        var next: Int64 = 0
        for extent in piece.extents {
            // Whole blocks: an extent may begin and end within one.
            var number = max(next, extent.lowerBound / block)
            while number * block < extent.upperBound {
                let count = try Files.read(from: file, at: number * block, into: buffer)
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                part.bytes += Int64(count)
                if !isZero(bytes) {
                    isEmpty = false
                    append(UInt64(bitPattern: number), to: &hash)
                    hash.update(bufferPointer: bytes)
                    if let target { try Files.write(to: target, at: number * block, bytes) }
                }
                number += 1
            }
            next = number
        }
        if !isEmpty { part.digest = Array(hash.finalize()) }
        return part
    }

    private static func append(_ value: UInt64, to hash: inout SHA256) {
        withUnsafeBytes(of: value.littleEndian) { hash.update(bufferPointer: $0) }
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var words = bytes.count / 8
        let aligned = words * 8
        var offset = 0
        while words > 0 {
            if bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 { return false }
            offset += 8
            words -= 1
        }
        return bytes[aligned...].allSatisfy { $0 == 0 }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
