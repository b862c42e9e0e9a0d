internal import CLinux
internal import Glibc

extension Files {
    /// Writes all bytes to a place in an open file (pwrite(2)).
    public static func write(
        to descriptor: CInt, at offset: Int64, _ bytes: UnsafeRawBufferPointer
    ) throws(SystemCallError) {
        var written = 0
        while written < bytes.count {
            written += try check("pwrite") {
                pwrite(
                    descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written,
                    off_t(offset) + off_t(written))
            }
        }
    }

    /// Has a directory's names on the disk before this returns.
    public static func synchronize(directory path: String) throws(SystemCallError) {
        let opened = try openDirectory(path)
        let raw = opened.rawValue
        defer { _ = opened.rawValue }
        try synchronize(raw)
    }

    /// What an open file has now, at least one byte unless it has ended (read(2)).
    public static func readSome(from descriptor: CInt, count: Int) throws(SystemCallError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemCallError) in
                try check("read") { Glibc.read(descriptor, buffer.baseAddress, count) }
            }
        }
        return Array(bytes[..<(try result.get())])
    }

    /// Bytes that a file uses on its disk (stat(2), st_blocks).
    public static func usedBytes(of descriptor: CInt) throws(SystemCallError) -> Int64 {
        var status = Glibc.stat()
        _ = try check("fstat") { fstat(descriptor, &status) }
        return Int64(status.st_blocks) * 512
    }
}
