internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// The lowest common layer of every root: soulbox-init, what makes an interpreter a zygote, and the directories that mounts
/// need.
///
/// It stands above the image, so that an image needs no rebuild when init changes, and below the disk, so that PID 1's
/// executable is a file of a read-only layer and never the host's own (CVE-2019-5736).
enum RuntimeLayer {
    /// Where soulbox-init is found inside a sandbox.
    static let initPath = "/usr/lib/soulbox/init"

    /// Where an interpreter finds what makes it a zygote.
    private static let zygotePath = "/usr/lib/soulbox/zygote.so"

    /// Who answers for names: the host's end of the sandbox's link (resolv.conf(5)). Without a link nobody is there.
    private static let names = """
        nameserver \(NetworkAddresses.text(NetworkAddresses.gateway))
        options timeout:3 attempts:2

        """

    /// Counts the changes of the layer's own directories; part of its name.
    private static let layout: UInt8 = 3

    /// Makes the layer unless it is there, and returns its directory.
    ///
    /// It lies beside the images because an idmapped mount needs a filesystem that knows them; a tmpfs does only since
    /// Linux 6.3. Its name tells its contents, so that persistent sandboxes keep theirs when soulbox-init gets a newer
    /// version.
    static func prepare(
        imageDirectory: String, instance: String, initPath: String, zygotePath: String
    ) throws(SandboxError) -> String {
        try step(.stageImage) { () throws(SystemCallError) in
            let initFile = try Files.read(initPath, maximum: 64 << 20)
            let zygote = try Files.read(zygotePath, maximum: 64 << 20)
            let parent = "\(imageDirectory)/runtime/\(instance)"
            let directory = "\(parent)/\(digest(initFile + zygote + [layout] + Array(names.utf8)))"
            try Files.makeDirectory("\(imageDirectory)/runtime", mode: 0o755)
            // Nobody but root looks for it here. Its workspace belongs to an id that is somebody else's on the host, and that
            // user must not be able to put files into every sandbox, and into what a zygote imports.
            try Files.makeDirectory(parent, mode: 0o700)
            let own = SharedDescriptor(try Files.openDirectory(parent))
            try withExtendedLifetime(own) { () throws(SystemCallError) in try Files.setMode(of: own.rawValue, 0o700) }
            if Files.exists(directory) { return directory }
            let unfinished = directory + ".new"
            try Files.removeTree(unfinished)
            let directories = [
                "", "/usr", "/usr/lib", "/usr/lib/soulbox", "/etc", "/workspace", "/opt", TemplateLayout.packages,
            ]
            for path in directories {
                try Files.makeDirectory(unfinished + path, mode: 0o755)
            }
            for path in ["/workspace", TemplateLayout.packages] {
                try Files.setOwner(unfinished + path, user: UserSlot.program, group: UserSlot.program)
            }
            // The API's examples show the workspace by this name.
            try Files.makeSymbolicLink(unfinished + "/sandbox", to: "workspace", at: Files.workingDirectory)
            // In front of whatever the image has.
            try Files.writeAtomically(unfinished + "/etc/resolv.conf", Array(names.utf8), mode: 0o644)
            try Files.writeAtomically(unfinished + Self.initPath, initFile, mode: 0o555)
            try Files.writeAtomically(unfinished + Self.zygotePath, zygote, mode: 0o555)
            try Files.rename(
                unfinished, at: Files.workingDirectory, to: directory, at: Files.workingDirectory, keepingTarget: true)
            return directory
        }
    }

    /// FNV-1a, 64 bits: tells versions of our own file apart, and no attacker.
    private static func digest(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
