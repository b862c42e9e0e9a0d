internal import CLinux

extension Files {
    /// Runs `body` while nothing on a filesystem changes; whoever wants to write to it waits (FIFREEZE of ioctl_fs(2)).
    ///
    /// Before `body` begins everything written is on the device, with the journal played back. A process that dies in it
    /// leaves the filesystem frozen: whoever takes over calls `thaw`.
    ///
    /// - Parameter directory: A directory of the filesystem, open for reading.
    public static func frozen<Result>(
        _ directory: CInt, _ body: () throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        try check("FIFREEZE") { soulbox_freeze(directory) }
        defer { _ = soulbox_thaw(directory) }
        return try body()
    }

    /// Lets the writers of a filesystem go on; one that is not frozen is no error.
    public static func thaw(_ directory: CInt) { _ = soulbox_thaw(directory) }
}
