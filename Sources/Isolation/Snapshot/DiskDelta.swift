internal import Glibc
internal import LinuxKernel

/// What of a disk differs from an earlier state of it, block by block: the number of each block that differs, whether it is
/// all zeros now, and if not its bytes.
enum DiskDelta {
    /// Says what the file is, and the version of its form.
    private static let magic: UInt64 = 0x3144_5358_4f42_4c53  // "SLBOXSD1"
    private static let zeros: UInt64 = 1 << 63

    /// Writes what differs between two files to a third.
    static func write(
        from old: CInt, to new: CInt, into delta: CInt, progress: (Int64) -> Void
    ) throws(SystemCallError) {
        let size = try Files.status(of: new).size
        var output = Output(file: delta)
        try output.append(magic)
        try output.append(UInt64(bitPattern: size))
        let block = SparseDigest.block
        let pair = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(block) * 2, alignment: 4096)
        defer { pair.deallocate() }
        let first = UnsafeMutableRawBufferPointer(rebasing: pair[..<Int(block)])
        let second = UnsafeMutableRawBufferPointer(rebasing: pair[Int(block)...])
        for number in try blocks(of: [old, new]) where number * block < size {
            let count = min(block, size - number * block)
            try fill(first, from: old, at: number * block, count: Int(count))
            try fill(second, from: new, at: number * block, count: Int(count))
            progress(count)
            let bytes = UnsafeRawBufferPointer(rebasing: second[..<Int(count)])
            guard let before = first.baseAddress, let now = second.baseAddress, memcmp(before, now, Int(count)) != 0
            else { continue }
            if SparseDigest.isZero(bytes) {
                try output.append(UInt64(bitPattern: number) | zeros)
            } else {
                try output.append(UInt64(bitPattern: number))
                try output.append(bytes)
            }
        }
    }

    /// Makes a file that is the old state the new one.
    static func apply(_ delta: CInt, to target: CInt) throws(SystemCallError) {
        let end = try Files.status(of: delta).size
        var offset: Int64 = 0
        func word() throws(SystemCallError) -> UInt64 {
            let bytes = try Files.read(from: delta, offset: Int(offset), count: 8)
            guard bytes.count == 8 else { throw SystemCallError(call: "read", errno: 74) }  // EBADMSG
            offset += 8
            return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard try word() == magic else { throw SystemCallError(call: "read", errno: 74) }
        let size = Int64(bitPattern: try word())
        try Files.setSize(of: target, size)
        let block = SparseDigest.block
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(block), alignment: 4096)
        defer { buffer.deallocate() }
        while offset < end {
            let head = try word()
            let number = Int64(bitPattern: head & ~zeros)
            guard number >= 0, number <= size / block else { throw SystemCallError(call: "read", errno: 74) }
            let place = number * block
            let count = min(block, size - place)
            if head & zeros != 0 {
                try SparseFile.punch(target, place..<(place + count))
                continue
            }
            try fill(buffer, from: delta, at: offset, count: Int(count))
            offset += count
            try Files.write(to: target, at: place, UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
        }
    }

    /// The numbers of the blocks in which one of the files has data, in order.
    private static func blocks(of files: [CInt]) throws(SystemCallError) -> [Int64] {
        var found: Set<Int64> = []
        for file in files {
            for extent in try SparseFile.extents(of: file) {
                found.formUnion(extent.lowerBound / SparseDigest.block...(extent.upperBound - 1) / SparseDigest.block)
            }
        }
        return found.sorted()
    }

    /// Behind a file's end is zeros.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from file: CInt, at offset: Int64, count: Int
    ) throws(SystemCallError) {
        var done = 0
        while done < count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count])
            let got = try Files.read(from: file, at: offset + Int64(done), into: rest)
            if got == 0 {
                rest.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            done += got
        }
    }

    /// Writes one thing after the other.
    private struct Output {
        let file: CInt
        private var offset: Int64 = 0

        init(file: CInt) { self.file = file }

        mutating func append(_ value: UInt64) throws(SystemCallError) {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
            let result = bytes.withUnsafeBytes { bytes in
                Result { () throws(SystemCallError) in try Files.write(to: file, at: offset, bytes) }
            }
            try result.get()
            offset += 8
        }

        mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
            try Files.write(to: file, at: offset, bytes)
            offset += Int64(bytes.count)
        }
    }
}
