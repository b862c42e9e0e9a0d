internal import CLinux
internal import Glibc

/// How a file is opened (open(2)); always close-on-exec, never as controlling terminal.
public struct OpenFlags: OptionSet, Sendable {
    /// The bits of open(2).
    public let rawValue: CInt

    /// Flags with these bits.
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// For reading.
    public static let readOnly = OpenFlags([])
    /// For writing.
    public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    /// For both.
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    /// Made when it does not exist.
    public static let create = OpenFlags(rawValue: O_CREAT)
    /// Refused when it exists; with `create`.
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    /// Emptied.
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    /// Written at its end, whoever else writes.
    public static let append = OpenFlags(rawValue: O_APPEND)
    /// Only a directory.
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    /// A place in the tree only, neither read nor written.
    public static let path = OpenFlags(rawValue: soulbox_O_PATH)
    /// The last segment is no link.
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    /// Never waits, as for the other end of a FIFO.
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
}

/// How a path is resolved (openat2(2)).
public struct ResolveFlags: OptionSet, Sendable {
    /// The bits of `struct open_how`.
    public let rawValue: UInt64

    /// Flags with these bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Not above the starting directory.
    public static let beneath = ResolveFlags(rawValue: 0x08)
    /// The starting directory is the root.
    public static let inRoot = ResolveFlags(rawValue: 0x10)
    /// No symbolic link anywhere.
    public static let noSymlinks = ResolveFlags(rawValue: 0x04)
    /// Not onto another mount.
    public static let sameMount = ResolveFlags(rawValue: 0x01)
    /// No link of procfs.
    public static let noMagicLinks = ResolveFlags(rawValue: 0x02)
}

extension Files {
    /// How often a path is resolved again that was changed meanwhile.
    private static let resolutions = 256

    /// Opens a file below `directory` (a descriptor, or the working directory) by openat2(2).
    ///
    /// The kernel answers EAGAIN where it cannot be sure that a path stayed within its bounds, because something was renamed
    /// at that moment; it is asked again, but not for ever: whoever renames may do so without end.
    public static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0, resolve: ResolveFlags = [],
        at directory: CInt = Files.workingDirectory
    ) throws(SystemCallError) -> Descriptor {
        var left = resolve.isEmpty ? 1 : resolutions
        while true {
            left -= 1
            do throws(SystemCallError) {
                return Descriptor(
                    owning: try check("openat2") {
                        soulbox_openat2(
                            directory, path, UInt64(flags.rawValue | O_CLOEXEC | O_NOCTTY),
                            flags.contains(.create) ? UInt64(mode) : 0, resolve.rawValue)
                    })
            } catch {
                guard error.errno == EAGAIN, left > 0 else { throw error }
            }
        }
    }
}
