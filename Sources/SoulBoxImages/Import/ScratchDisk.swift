internal import LinuxKernel

/// A filesystem of limited size, made by us, for what strangers' archives unpack to: however much that is, the host's
/// disk keeps its room. It is gone with the last mount of it.
struct ScratchDisk: ~Copyable {
    /// Where it is mounted, in the caller's mount namespace.
    let path: String

    /// Makes one below a directory of ours and mounts it there.
    init(in directory: String, bytes: Int64) throws(SystemCallError) {
        let file = "\(directory)/disk.ext4"
        path = "\(directory)/disk"
        let opened = try Files.open(file, [.readWrite, .create, .exclusive], mode: 0o600)
        try Files.setSize(of: opened.rawValue, bytes)
        try ExtendedFilesystem.make(in: file)
        let device = try LoopDevice(file: opened)
        // The device holds the file from here on; nothing has to be removed, whatever happens.
        try Files.removeTree(file)
        let mount = try Mount.make(
            type: "ext4", options: [("source", device.path)], attributes: [.noSUID, .noDevices, .noExecute])
        try Files.makeDirectory(path, mode: 0o755)
        try Mount.move(mount, to: path)
    }

    deinit { try? Mount.unmount(path, detach: true) }
}
