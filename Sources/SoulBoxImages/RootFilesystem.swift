internal import LinuxKernel

/// Makes a freshly installed root fit to be the lower layer of everybody's sandboxes.
struct RootFilesystem {
    /// Where the root lies on the host.
    let path: String

    /// Whether somebody else made it.
    var isImported = false

    /// The user that programs run as, within the sandbox.
    static let user: UInt32 = 1000

    /// Emptied: what belongs to one machine or one installation, and what sandboxes mount over.
    private static let emptied = [
        "boot", "dev", "etc/apt", "media", "mnt", "proc", "run", "sys", "tmp", "var/backups", "var/cache",
        "var/lib/apt",
        "var/log", "var/tmp", "workspace",
    ]

    /// Emptied too where we installed the root: other people's images have their programs there.
    private static let unused = ["home", "opt", "root", "srv"]

    /// Removed: passwords, subordinate ids and locks, none of which a sandbox has.
    private static let removed = [
        "etc/shadow", "etc/shadow-", "etc/gshadow", "etc/gshadow-", "etc/passwd-", "etc/group-", "etc/.pwd.lock",
        "etc/subuid", "etc/subuid-", "etc/subgid", "etc/subgid-", "customize.sh",
    ]

    private var emptied: [String] { RootFilesystem.emptied + (isImported ? [] : RootFilesystem.unused) }

    /// The files that are the same in every image.
    private static let written: [(path: String, text: String)] = [
        ("etc/machine-id", ""),
        ("etc/resolv.conf", ""),
        ("etc/hostname", "sandbox\n"),
        ("etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        (
            "etc/passwd",
            """
            root:x:0:0:root:/root:/usr/sbin/nologin
            user:x:1000:1000:user:/workspace:/bin/sh
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin

            """
        ),
        ("etc/group", "root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n"),
    ]

    /// Empties, writes and normalises; the order matters, because the modes are set last.
    ///
    /// Links of the tree are followed within it alone: an image whose `/etc` leads to the host's harms nothing.
    func finish() throws(ImageError) {
        do {
            let root = try RootDirectory(path)
            for directory in emptied { try root.empty(directory) }
            for file in RootFilesystem.removed { try root.remove(file) }
            for file in RootFilesystem.written {
                // Debian makes links of some.
                try root.write(file.path, Array(file.text.utf8), mode: 0o644)
            }
            for directory in ["dev", "proc", "run", "sys", "tmp", "var/tmp", "workspace"] {
                try root.makeDirectory(directory)
            }
            if (try? Files.status("sandbox", at: root.descriptor.rawValue)) == nil {
                try root.makeLink("sandbox", to: "workspace")
            }
            try Files.setOwner(
                "workspace", user: RootFilesystem.user, group: RootFilesystem.user, at: root.descriptor.rawValue)
            try normalise(root.descriptor.rawValue)
            for directory in ["tmp", "var/tmp"] {
                let opened = try root.open(directory, [.readOnly, .directory])
                try Files.setMode(of: opened.rawValue, 0o1777)
            }
            try Files.setMode(of: root.descriptor.rawValue, 0o755)
        } catch {
            throw ImageError("\(path): \(error)")
        }
    }

    /// Everything readable by all and writable by its owner at most; no set-id bit, no file capability, nothing that is
    /// neither file, directory nor link.
    private func normalise(_ directory: CInt) throws(SystemCallError) {
        for name in try Files.list(descriptor: directory) {
            let status = try Files.status(name, at: directory)
            if status.isDirectory {
                let opened = try Files.open(name, [.readOnly, .directory, .noFollow], at: directory)
                try Files.setMode(of: opened.rawValue, (status.mode & 0o755) | 0o555)
                try normalise(opened.rawValue)
            } else if status.isRegular {
                // A change of owner, even to the same one, drops file capabilities (chown(2)).
                try Files.setOwner(name, user: status.user, group: status.group, at: directory)
                let readable: UInt32 = status.mode & 0o111 == 0 ? 0o444 : 0o555
                try Files.setMode(name, (status.mode & 0o755) | readable, at: directory)
            } else if !status.isLink {
                try Files.removeTree(name, at: directory)
            }
        }
    }
}
