internal import CLinux
internal import Glibc

extension Files {
    /// Makes a directory below `directory`; one that exists is an error (mkdirat(2)).
    public static func createDirectory(_ path: String, mode: UInt32, at directory: CInt) throws(SystemCallError) {
        try check("mkdirat") { mkdirat(directory, path, mode) }
    }

    /// Makes a directory below `directory` unless it exists.
    public static func makeDirectory(_ path: String, mode: UInt32, at directory: CInt) throws(SystemCallError) {
        do {
            try createDirectory(path, mode: mode, at: directory)
        } catch  where error.errno == EEXIST {}
    }

    /// Sets which permissions new files of this process lack, whatever it was started with (umask(2)).
    public static func setCreationMask(_ mask: UInt32) { umask(mask) }

    /// A file without a name on the filesystem of a directory, gone with its last descriptor (O_TMPFILE of open(2)).
    public static func makeTemporary(in directory: String) throws(SystemCallError) -> Descriptor {
        Descriptor(owning: try check("open") { soulbox_open_temporary(directory) })
    }

    /// Makes a FIFO below `directory` (mkfifoat(3)).
    public static func makeFIFO(_ path: String, mode: UInt32, at directory: CInt) throws(SystemCallError) {
        try check("mkfifoat") { mkfifoat(directory, path, mode) }
    }

    /// Makes a symbolic link below `directory` (symlinkat(2)).
    public static func makeSymbolicLink(_ path: String, to target: String, at directory: CInt) throws(SystemCallError) {
        try check("symlinkat") { symlinkat(target, directory, path) }
    }

    /// Makes a character device below `directory`, with exactly these permissions (mknodat(2)).
    public static func makeCharacterDevice(
        _ path: String, mode: UInt32, major: UInt32, minor: UInt32, at directory: CInt
    ) throws(SystemCallError) {
        try check("mknodat") { mknodat(directory, path, S_IFCHR | mode, dev_t(soulbox_makedev(major, minor))) }
        // The umask took its share.
        try check("fchmodat") { fchmodat(directory, path, mode, 0) }
    }

    /// Sets the size of an open file; what is added reads as zeros and takes no room (ftruncate(2)).
    public static func setSize(of descriptor: CInt, _ bytes: Int64) throws(SystemCallError) {
        try check("ftruncate") { ftruncate(descriptor, off_t(bytes)) }
    }

    /// Sets the permissions of an open file (fchmod(2)).
    public static func setMode(of descriptor: CInt, _ mode: UInt32) throws(SystemCallError) {
        try check("fchmod") { fchmod(descriptor, mode) }
    }

    /// Renames within or between open directories; the target is replaced unless `keepingTarget` (renameat2(2)).
    public static func rename(
        _ path: String, at directory: CInt, to newPath: String, at newDirectory: CInt, keepingTarget: Bool = false
    ) throws(SystemCallError) {
        try check("renameat2") { soulbox_renameat2(directory, path, newDirectory, newPath, keepingTarget ? 1 : 0) }
    }

    /// Gives a file below `directory` a second name below `newDirectory`; a link's own, not its target's (linkat(2)).
    public static func makeHardLink(
        _ path: String, at directory: CInt, to newPath: String, at newDirectory: CInt
    ) throws(SystemCallError) {
        try check("linkat") { linkat(directory, path, newDirectory, newPath, 0) }
    }

    /// Sets when an open file was changed and read last (futimens(3)).
    public static func setModified(of descriptor: CInt, _ moment: FileStatus.Moment) throws(SystemCallError) {
        let time = timespec(tv_sec: Int(moment.seconds), tv_nsec: Int(moment.nanoseconds))
        let times = [time, time]
        try check("futimens") { futimens(descriptor, times) }
    }

    /// Sets the permissions of what is no link below `directory` (fchmodat(2)).
    public static func setMode(_ path: String, _ mode: UInt32, at directory: CInt) throws(SystemCallError) {
        try check("fchmodat") { fchmodat(directory, path, mode, 0) }
    }

    /// Removes a file, or an empty directory, below an open one (unlinkat(2)).
    public static func remove(_ path: String, at directory: CInt, isDirectory: Bool) throws(SystemCallError) {
        try check("unlinkat") { unlinkat(directory, path, isDirectory ? AT_REMOVEDIR : 0) }
    }

    /// Removes a file, or a directory with everything below it, in an open directory; nothing there is no error.
    public static func removeTree(_ name: String, at directory: CInt) throws(SystemCallError) {
        // One segment, so that nothing but the last link could be followed, and that one is not.
        guard !name.isEmpty, !name.contains("/"), name != "..", name != "." else {
            throw SystemCallError(call: "unlinkat", errno: EINVAL)
        }
        try removeTree("/proc/self/fd/\(directory)/\(name)")
    }

    /// Makes what was written to an open file or directory last (fsync(2)).
    public static func synchronize(_ descriptor: CInt) throws(SystemCallError) {
        try check("fsync") { fsync(descriptor) }
    }

    /// Makes everything written to the filesystem of an open file last (syncfs(2)).
    public static func synchronizeFilesystem(_ descriptor: CInt) throws(SystemCallError) {
        try check("syncfs") { soulbox_syncfs(descriptor) }
    }

    /// Gives a file below `directory` to a user and group; a link's own owner, not its target's (fchownat(2)).
    public static func setOwner(
        _ path: String, user: UInt32, group: UInt32, at directory: CInt = Files.workingDirectory
    ) throws(SystemCallError) {
        try check("fchownat") { fchownat(directory, path, user, group, AT_SYMLINK_NOFOLLOW) }
    }

    /// Gives an open file to a user and group (fchown(2)).
    public static func setOwner(of descriptor: CInt, user: UInt32, group: UInt32) throws(SystemCallError) {
        try check("fchown") { fchown(descriptor, user, group) }
    }

    /// Changes the working directory: the thread's own once it has unshared its mount namespace, else the process's.
    public static func changeDirectory(_ path: String) throws(SystemCallError) { try check("chdir") { chdir(path) } }

    /// The target of a symbolic link, or what procfs shows as one (readlinkat(2)).
    public static func readLink(
        _ path: String, at directory: CInt = Files.workingDirectory
    ) throws(SystemCallError) -> String {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer in
            Result { () throws(SystemCallError) in
                let count = try check("readlinkat") {
                    soulbox_readlink(directory, path, buffer.baseAddress, buffer.count)
                }
                return String(decoding: buffer[..<count], as: UTF8.self)
            }
        }.get()
    }

    /// Up to `count` bytes from where an open file stands; fewer at its end.
    public static func read(from descriptor: CInt, count: Int) throws(SystemCallError) -> [UInt8] {
        var failure: SystemCallError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemCallError) {
                while filled < count {
                    let place = buffer.baseAddress?.advanced(by: filled)
                    let room = count - filled
                    let got = try check("read") { Glibc.read(descriptor, place, room) }
                    if got == 0 { break }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Some bytes from a place in an open file; 0 at its end (pread(2)).
    public static func read(
        from descriptor: CInt, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemCallError) -> Int {
        try check("pread") { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Writes all bytes to an open file.
    public static func write(to descriptor: CInt, _ bytes: [UInt8]) throws(SystemCallError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(SystemCallError) in
                    try check("write") {
                        Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
                    }
                }
            }
            written += try result.get()
        }
    }

    /// Reads from an offset on without moving the file's position (pread(2)); fewer bytes at its end.
    public static func read(from descriptor: CInt, offset: Int, count: Int) throws(SystemCallError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemCallError) in
                try check("pread") { pread(descriptor, buffer.baseAddress, count, off_t(offset)) }
            }
        }
        return Array(bytes[..<(try result.get())])
    }

    /// Writes as much as an open file takes at once, and says how much that was.
    public static func writeSome(to descriptor: CInt, _ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Int {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemCallError) in
                try check("write") { Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
            }
        }
        return try result.get()
    }

    /// Copies bytes from one open file, at an offset, to the end of another; fewer bytes there are an error.
    public static func copy(from source: CInt, offset: Int, count: Int, to target: CInt) throws(SystemCallError) {
        var position = off_t(offset)
        var left = count
        while left > 0 {
            let copied = try check("sendfile") { sendfile(target, source, &position, left) }
            guard copied > 0 else { throw SystemCallError(call: "sendfile", errno: ENODATA) }
            left -= copied
        }
    }

    /// Throws unless a file of the kernel's holds a number above zero.
    public static func requirePositive(_ path: String) throws(SystemCallError) {
        let text = try readString(path)
        guard let number = Int(text.prefix { !$0.isWhitespace }), number > 0 else {
            throw SystemCallError(call: "read", errno: ENOSYS)
        }
    }
}
