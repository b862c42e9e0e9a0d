internal import Glibc
internal import LinuxKernel

/// The lowest common layer of every sandbox's root: soulbox-init and the directories that mounts need.
///
/// It stands above the image, so that an image needs no rebuild when init changes, and below the disk, so that PID 1's
/// executable is a file of a read-only layer and never the host's own (CVE-2019-5736).
enum RuntimeLayer {
    /// Where soulbox-init is found inside a sandbox.
    static let initPath = "/usr/lib/soulbox/init"

    /// Writes the layer anew and returns its directory.
    ///
    /// It lies beside the images because an idmapped mount needs a filesystem that knows them; a tmpfs does only since
    /// Linux 6.3.
    static func prepare(imageDirectory: String, instance: String, initPath source: String) throws(SandboxError)
        -> String
    {
        let directory = "\(imageDirectory)/runtime/\(instance)"
        try step(.stageImage) { () throws(SystemCallError) in
            let bytes = try Files.read(source, maximum: 64 << 20)
            try Files.makeDirectory("\(imageDirectory)/runtime", mode: 0o755)
            try Files.removeTree(directory)
            for path in ["", "/usr", "/usr/lib", "/usr/lib/soulbox", "/workspace"] {
                try Files.makeDirectory(directory + path, mode: 0o755)
            }
            try Files.setOwner(directory + "/workspace", user: UserSlot.program, group: UserSlot.program)
            try Files.writeAtomically(directory + Self.initPath, bytes, mode: 0o555)
        }
        return directory
    }
}
