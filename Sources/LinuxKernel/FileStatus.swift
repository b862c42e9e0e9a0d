internal import Glibc

/// What stat(2) tells of a file.
public struct FileStatus: Sendable, Equatable {
    /// A moment of the filesystem's clock.
    public struct Moment: Sendable, Comparable {
        /// Seconds since 1970.
        public let seconds: Int64
        /// Nanoseconds within the second.
        public let nanoseconds: Int64

        /// Earlier before later.
        public static func < (left: Moment, right: Moment) -> Bool {
            (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
        }
    }

    /// Its number within the filesystem.
    public let inode: UInt64
    /// Its size in bytes.
    public let size: Int64
    /// Type and permissions.
    public let mode: UInt32
    /// How many names it has.
    public let links: UInt64
    /// Owner.
    public let user: UInt32
    /// Group.
    public let group: UInt32
    /// When its contents or its attributes were last changed; no program can set it.
    public let changed: Moment
    /// When its contents were last changed.
    public let modified: Moment

    /// Whether it is a directory.
    public var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    /// Whether it is a symbolic link.
    public var isLink: Bool { mode & S_IFMT == S_IFLNK }
    /// Whether it is a regular file.
    public var isRegular: Bool { mode & S_IFMT == S_IFREG }

    init(_ status: stat) {
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        mode = status.st_mode
        links = UInt64(status.st_nlink)
        user = status.st_uid
        group = status.st_gid
        changed = Moment(seconds: Int64(status.st_ctim.tv_sec), nanoseconds: Int64(status.st_ctim.tv_nsec))
        modified = Moment(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
    }
}

/// What fstatvfs(3) tells of a filesystem.
public struct FilesystemSpace: Sendable, Equatable {
    /// Free blocks.
    public let freeBlocks: UInt64
    /// Free inodes.
    public let freeInodes: UInt64
    /// Bytes that an ordinary user may still write.
    public let availableBytes: UInt64
    /// Bytes in use.
    public let usedBytes: UInt64
    /// Inodes in use.
    public let usedInodes: UInt64
}

extension Files {
    /// The status of a file below `directory`; a symbolic link's own.
    public static func status(_ path: String, at directory: CInt = Files.workingDirectory) throws(SystemCallError)
        -> FileStatus
    {
        var status = stat()
        try check("fstatat") { fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    /// The status of an open file.
    public static func status(of descriptor: CInt) throws(SystemCallError) -> FileStatus {
        var status = stat()
        try check("fstat") { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// The space of the filesystem that holds an open file.
    public static func space(of descriptor: CInt) throws(SystemCallError) -> FilesystemSpace {
        var space = statvfs()
        try check("fstatvfs") { fstatvfs(descriptor, &space) }
        return FilesystemSpace(
            freeBlocks: UInt64(space.f_bfree), freeInodes: UInt64(space.f_ffree),
            availableBytes: UInt64(space.f_bavail) * UInt64(space.f_frsize),
            usedBytes: UInt64(space.f_blocks - space.f_bfree) * UInt64(space.f_frsize),
            usedInodes: UInt64(space.f_files - space.f_ffree))
    }
}
