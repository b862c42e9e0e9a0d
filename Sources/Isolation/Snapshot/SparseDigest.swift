internal import Crypto
internal import LinuxKernel

/// The digest of a file of which most may be holes: SHA-256 over its size and over each block that is not all zeros, with the
/// block's number before it.
///
/// What of the zeros is a hole and what was written makes no difference, so that a copy made by any tool has the same digest,
/// and a disk of a gigabyte with a megabyte in it is read in a moment.
struct SparseDigest {
    /// Bytes of a block.
    static let block: Int64 = 64 << 10

    private var hash = SHA256()

    init(size: Int64) { append(UInt64(bitPattern: size)) }

    /// Takes in the block of that number, unless it is all zeros.
    mutating func take(_ number: Int64, _ bytes: UnsafeRawBufferPointer) {
        guard !SparseDigest.isZero(bytes) else { return }
        append(UInt64(bitPattern: number))
        hash.update(bufferPointer: bytes)
    }

    /// The digest, 64 hexadecimal digits.
    consuming func text() -> String { SparseDigest.hexadecimal(hash.finalize()) }

    private mutating func append(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { hash.update(bufferPointer: $0) }
    }

    /// The digest of a file; where `target` is given, it becomes a copy of the file on the way.
    static func read(
        _ file: CInt, copyingTo target: CInt? = nil, progress: (Int64) -> Void = { _ in }
    ) throws(SystemCallError) -> String {
        let size = try Files.status(of: file).size
        if let target { try Files.setSize(of: target, size) }
        var digest = SparseDigest(size: size)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(block), alignment: 4096)
        defer { buffer.deallocate() }
        var next: Int64 = 0
        for extent in try SparseFile.extents(of: file) {
            // Whole blocks: an extent may begin and end within one.
            var number = max(next, extent.lowerBound / block)
            while number * block < extent.upperBound {
                let count = try Files.read(from: file, at: number * block, into: buffer)
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                digest.take(number, bytes)
                if let target, !isZero(bytes) { try Files.write(to: target, at: number * block, bytes) }
                number += 1
                progress(Int64(count))
            }
            next = number
        }
        return digest.text()
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
