internal import CLinux
internal import Glibc

/// Copies of files of which most is holes.
public enum SparseFile {
    /// Bytes that are copied between two signs of life.
    private static let stride: Int64 = 64 << 20
    /// Bytes that one thread compares at a time.
    private static let compared: Int64 = 16 << 20

    /// The ranges of a file that hold data, in order, none of them empty.
    public static func extents(of file: CInt) throws(SystemCallError) -> [Range<Int64>] {
        var found: [Range<Int64>] = []
        var offset: Int64 = 0
        while true {
            let begin = soulbox_next_data(file, offset)
            if begin < 0, errno == ENXIO { return found }
            guard begin >= 0 else { throw SystemCallError(call: "lseek", errno: errno) }
            let end = soulbox_next_hole(file, begin)
            guard end > begin else { throw SystemCallError(call: "lseek", errno: errno) }
            found.append(begin..<end)
            offset = end
        }
    }

    /// Bytes of data, as `extents` tells them.
    public static func dataBytes(of file: CInt) throws(SystemCallError) -> Int64 {
        try extents(of: file).reduce(0) { $0 + Int64($1.count) }
    }

    /// Makes an empty file a copy of another one, with its holes: by sharing its blocks where the filesystem can.
    ///
    /// - Parameter progress: Is told the bytes of each piece.
    public static func copy(
        from source: CInt, to target: CInt, progress: (Int64) -> Void = { _ in }
    ) throws(SystemCallError) {
        let size = try Files.status(of: source).size
        if soulbox_clone_file(source, target) == 0 { return progress(try dataBytes(of: source)) }
        try Files.setSize(of: target, size)
        for extent in try extents(of: source) {
            for piece in pieces(of: extent, stride) {
                try check("copy_file_range") {
                    soulbox_copy_range(source, target, piece.lowerBound, Int64(piece.count))
                }
                progress(Int64(piece.count))
            }
        }
    }

    /// Makes an earlier copy of a file what the file is now: by sharing its blocks where the filesystem can, without reading
    /// any; otherwise both are read, and what has changed since is written. Gives the bytes written.
    public static func update(from source: CInt, to target: CInt) throws(SystemCallError) -> Int64 {
        let size = try Files.status(of: source).size
        if try Files.status(of: target).size != size { try Files.setSize(of: target, size) }
        if soulbox_clone_file(source, target) == 0 { return 0 }
        var changed: Int64 = 0
        var end: Int64 = 0
        let data = try extents(of: source)
        for extent in data {
            changed += try empty(target, end..<extent.lowerBound)
            end = extent.upperBound
        }
        changed += try empty(target, end..<max(end, size))
        let ranges = data.flatMap { pieces(of: $0, compared) }
        let written = try Pieces.map(ranges.count) { (index) throws(SystemCallError) in
            let range = ranges[index]
            let written = soulbox_update_range(source, target, range.lowerBound, Int64(range.count))
            guard written >= 0 else { throw SystemCallError(call: "pwrite", errno: errno) }
            return written
        }
        return written.reduce(changed, +)
    }

    /// Makes a range of a file a hole.
    public static func punch(_ file: CInt, _ range: Range<Int64>) throws(SystemCallError) {
        guard !range.isEmpty else { return }
        try check("fallocate") { soulbox_punch_hole(file, range.lowerBound, Int64(range.count)) }
    }

    /// Makes what a file has of data in a range a hole; gives how much that was.
    private static func empty(_ file: CInt, _ range: Range<Int64>) throws(SystemCallError) -> Int64 {
        guard !range.isEmpty else { return 0 }
        var removed: Int64 = 0
        var offset = range.lowerBound
        while offset < range.upperBound {
            let begin = soulbox_next_data(file, offset)
            guard begin >= 0, begin < range.upperBound else { break }
            let end = min(range.upperBound, soulbox_next_hole(file, begin))
            guard end > begin else { break }
            try punch(file, begin..<end)
            removed += end - begin
            offset = end
        }
        return removed
    }

    private static func pieces(of extent: Range<Int64>, _ bytes: Int64) -> [Range<Int64>] {
        Swift.stride(from: extent.lowerBound, to: extent.upperBound, by: Int(bytes)).map {
            $0..<min(extent.upperBound, $0 + bytes)
        }
    }
}
