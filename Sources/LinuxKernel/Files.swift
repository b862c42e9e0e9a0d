internal import CLinux
internal import Glibc

/// Small files and directories, whole.
public enum Files {
    /// Stands for the working directory where a directory's descriptor is wanted (AT_FDCWD).
    public static let workingDirectory: CInt = -100

    /// The bytes of a file; one of more than `maximum` bytes is EFBIG.
    public static func read(_ path: String, maximum: Int = 1 << 20) throws(SystemCallError) -> [UInt8] {
        let file = try open(path, .readOnly)
        return try readToEnd(of: file.rawValue, maximum: maximum)
    }

    /// All that an open file holds from where it stands.
    static func readToEnd(of descriptor: CInt, maximum: Int) throws(SystemCallError) -> [UInt8] {
        let result = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
            Result { () throws(SystemCallError) in
                var bytes: [UInt8] = []
                while true {
                    let count = try check("read") { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
                    if count == 0 { return bytes }
                    guard bytes.count + count <= maximum else { throw SystemCallError(call: "read", errno: EFBIG) }
                    bytes.append(contentsOf: buffer[..<count])
                }
            }
        }
        return try result.get()
    }

    /// The text of a file, repaired where it is no UTF-8.
    public static func readString(_ path: String, maximum: Int = 1 << 20) throws(SystemCallError) -> String {
        String(decoding: try read(path, maximum: maximum), as: UTF8.self)
    }

    /// The text of a file of the kernel's that gives all it has at once, up to 8 KiB (seq_file, kernfs): one read, where
    /// `readString` asks until nothing more comes.
    static func readShort(_ path: String) throws(SystemCallError) -> KernelText {
        let file = try open(path, .readOnly)
        return try readShort(from: file.rawValue)
    }

    /// The same of an open file, from its beginning.
    static func readShort(from descriptor: CInt) throws(SystemCallError) -> KernelText {
        let result = withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
            Result { () throws(SystemCallError) in
                let count = try check("pread") { pread(descriptor, buffer.baseAddress, buffer.count, 0) }
                return KernelText(Array(buffer[..<count]))
            }
        }
        return try result.get()
    }

    /// Writes bytes to an existing file, as the kernel's control files want it: in one call.
    public static func write(_ path: String, _ bytes: [UInt8]) throws(SystemCallError) {
        let file = try open(path, .writeOnly)
        try write(to: file.rawValue, bytes)
    }

    /// Puts a file in place, whole or not at all: written beside it, made durable, renamed, and the directory made
    /// durable.
    public static func writeAtomically(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(SystemCallError) {
        let temporary = path + ".new"
        _ = unlink(temporary)
        do {
            let file = try open(temporary, [.writeOnly, .create, .exclusive], mode: mode)
            try write(to: file.rawValue, bytes)
            // The umask took its share.
            try check("fchmod") { fchmod(file.rawValue, mode) }
            try check("fsync") { fsync(file.rawValue) }
            try check("rename") { Glibc.rename(temporary, path) }
        } catch {
            _ = unlink(temporary)
            throw error
        }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = try openDirectory(parent.isEmpty ? "/" : parent)
        try check("fsync") { fsync(directory.rawValue) }
    }

    /// Makes a directory with exactly this mode unless it exists (mkdir(2)).
    public static func makeDirectory(_ path: String, mode: UInt32) throws(SystemCallError) {
        do {
            try check("mkdir") { mkdir(path, mode) }
            try check("chmod") { chmod(path, mode) }
        } catch  where error.errno == EEXIST {}
    }

    /// Opens a directory.
    public static func openDirectory(_ path: String) throws(SystemCallError) -> Descriptor {
        try open(path, [.readOnly, .directory])
    }

    /// Whether there is something at a path.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a directory, without `.` and `..`.
    ///
    /// - Parameter directoriesAlone: Whether to leave out what is not a directory, by what the filesystem says in the
    ///   list itself (readdir(3), `d_type`).
    public static func list(_ path: String, directoriesAlone: Bool = false) throws(SystemCallError) -> [String] {
        let directory = try openDirectory(path)
        return try list(descriptor: directory.rawValue, directoriesAlone: directoriesAlone)
    }

    /// The names in an open directory, without `.` and `..`; names that are no UTF-8 are repaired.
    public static func list(
        descriptor: CInt, directoriesAlone: Bool = false
    ) throws(SystemCallError) -> [String] {
        let own = try Descriptor.duplicate(descriptor)
        guard let stream = fdopendir(own) else {
            _ = close(own)
            throw SystemCallError(call: "fdopendir", errno: errno)
        }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [String] = []
        while let entry = readdir(stream) {
            if directoriesAlone, Int32(entry.pointee.d_type) != Int32(DT_DIR) { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a directory with everything below it; nothing there is no error.
    ///
    /// Links are removed and never followed, and the walk needs one descriptor a level and no recursion.
    public static func removeTree(_ path: String) throws(SystemCallError) {
        let result = path.withCString { soulbox_remove_tree($0) }
        guard result == 0 else { throw SystemCallError(call: "unlinkat", errno: -result) }
    }
}
