internal import CLinux
internal import Glibc

/// ext4 filesystems in files (mke2fs(8), resize2fs(8), ext4(5)).
public enum ExtendedFilesystem {
    /// Bytes of a block.
    public static let blockSize: Int64 = 4096

    /// Whether the programs that make, look through and grow filesystems are here.
    public static var isAvailable: Bool {
        ["/sbin/mke2fs", "/sbin/e2fsck", "/sbin/resize2fs"].allSatisfy(Files.exists)
    }

    /// Makes a filesystem in a file of the size that the file has; a file for each 16 KiB.
    ///
    /// Nothing is reserved for root, the journal is small, and tables are written by the kernel when they are used.
    public static func make(in path: String) throws(SystemCallError) {
        try run(
            "/sbin/mke2fs",
            [
                "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "16384", "-m", "0", "-J", "size=4",
                "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0",
                path,
            ])
    }

    /// Grows the filesystem in a file, which nobody has mounted, to the size that the file has.
    public static func grow(in path: String) throws(SystemCallError) {
        // resize2fs wants a filesystem that was looked through since it was last mounted.
        try run("/sbin/e2fsck", ["-f", "-p", path], accepting: 1)
        try run("/sbin/resize2fs", [path])
    }

    /// Grows a mounted filesystem to that many bytes (EXT4_IOC_RESIZE_FS). Needs CAP_SYS_RESOURCE.
    public static func growMounted(_ directory: CInt, to bytes: Int64) throws(SystemCallError) {
        try check("EXT4_IOC_RESIZE_FS") { soulbox_ext4_resize(directory, UInt64(bytes / blockSize)) }
    }

    private static func run(_ path: String, _ arguments: [String], accepting: CInt = 0) throws(SystemCallError) {
        let started = try Spawn(path: path, arguments: arguments).start()
        let status = try started.takeProcess().waitForExit()
        guard case .exited(let code) = status, code <= accepting else {
            throw SystemCallError(call: path, errno: EIO)
        }
    }
}
