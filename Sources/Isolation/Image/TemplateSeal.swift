internal import Glibc
internal import LinuxKernel

/// Prepares the disk of a stopped sandbox to be a layer below others.
enum TemplateSeal {
    /// What is no part of a template: the overlay's working directory, and the temporary files of the build.
    private static let discarded = [["work"], ["upper", "tmp"], ["upper", "var", "tmp"], ["upper", "run"]]

    /// Removes what is no part of a template, and gives the bytes that are left in use.
    ///
    /// Mounted once more, writable, the journal is played back too: a layer is mounted read-only for ever, when that could
    /// not be done any more. No process is in the mount's namespace, and what was written there is hostile: no link is
    /// followed, and directories are removed without recursion.
    static func clean(_ disk: String) throws(SandboxError) -> Int64 {
        try step(.seal) { () throws(SystemCallError) in
            let file = try Files.open(disk, .readWrite, resolve: .noSymlinks)
            let device = try LoopDevice(file: file)
            let mount = try Mount.make(
                type: "ext4", options: [("source", device.path), ("errors", "remount-ro")], switches: ["discard"],
                attributes: [.noSUID, .noDevices, .noAccessTimes, .noExecute])
            for segments in discarded { try remove(segments, at: mount.rawValue) }
            let root = try Files.open(".", [.readOnly, .directory], at: mount.rawValue)
            try Files.synchronizeFilesystem(root.rawValue)
            return Int64(clamping: try Files.space(of: root.rawValue).usedBytes)
        }
    }

    private static func remove(_ segments: [String], at mount: CInt) throws(SystemCallError) {
        let above = segments.dropLast().joined(separator: "/")
        do throws(SystemCallError) {
            let parent = try Files.open(
                above.isEmpty ? "." : above, [.readOnly, .directory], resolve: [.beneath, .noSymlinks], at: mount)
            try Files.removeTree(segments.last ?? "", at: parent.rawValue)
        } catch  where error.errno == ENOENT || error.errno == ENOTDIR || error.errno == ELOOP {
            // The build has not touched it, or put something else in its place.
        }
    }
}
