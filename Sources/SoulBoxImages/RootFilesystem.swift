internal import Glibc
internal import LinuxKernel

/// Makes a freshly installed root fit to be the lower layer of everybody's sandboxes.
struct RootFilesystem {
    /// Where the root lies on the host.
    let path: String

    /// The user that programs run as, within the sandbox.
    static let user: UInt32 = 1000

    /// Emptied: what belongs to one machine or one installation, and what sandboxes mount over.
    private static let emptied = [
        "boot", "dev", "etc/apt", "home", "media", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp",
        "var/backups", "var/cache", "var/lib/apt", "var/log", "var/tmp",
    ]

    /// Removed: passwords, subordinate ids and locks, none of which a sandbox has.
    private static let removed = [
        "etc/shadow", "etc/shadow-", "etc/gshadow", "etc/gshadow-", "etc/passwd-", "etc/group-", "etc/.pwd.lock",
        "etc/subuid", "etc/subuid-", "etc/subgid", "etc/subgid-", "customize.sh",
    ]

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
    func finish() throws(ImageError) {
        do {
            for directory in RootFilesystem.emptied where Files.exists("\(path)/\(directory)") {
                for name in try Files.list("\(path)/\(directory)") {
                    try Files.removeTree("\(path)/\(directory)/\(name)")
                }
            }
            for file in RootFilesystem.removed { try Files.removeTree("\(path)/\(file)") }
            for file in RootFilesystem.written {
                // Debian makes links of some.
                try Files.removeTree("\(path)/\(file.path)")
                try Files.writeAtomically("\(path)/\(file.path)", Array(file.text.utf8), mode: 0o644)
            }
            for directory in ["dev", "proc", "run", "tmp", "var/tmp", "workspace"] {
                try Files.makeDirectory("\(path)/\(directory)", mode: 0o755)
            }
            if !Files.exists("\(path)/sandbox") {
                try Files.makeSymbolicLink("\(path)/sandbox", to: "workspace", at: Files.workingDirectory)
            }
            try Files.setOwner("\(path)/workspace", user: RootFilesystem.user, group: RootFilesystem.user)
            try normalise(path)
            for directory in ["tmp", "var/tmp"] { try setMode("\(path)/\(directory)", 0o1777) }
            try setMode(path, 0o755)
        } catch {
            throw ImageError("\(path): \(error)")
        }
    }

    /// Everything readable by all and writable by its owner at most; no set-id bit, no file capability, nothing that is
    /// neither file, directory nor link.
    private func normalise(_ directory: String) throws(SystemCallError) {
        for name in try Files.list(directory) {
            let entry = "\(directory)/\(name)"
            let status = try Files.status(entry)
            if status.isDirectory {
                try setMode(entry, (status.mode & 0o755) | 0o555)
                try normalise(entry)
            } else if status.isRegular {
                // A change of owner, even to the same one, drops file capabilities (chown(2)).
                try Files.setOwner(entry, user: status.user, group: status.group)
                try setMode(entry, (status.mode & 0o755) | (status.mode & 0o111 == 0 ? 0o444 : 0o555))
            } else if status.mode & S_IFMT != S_IFLNK {
                try Files.removeTree(entry)
            }
        }
    }

    private func setMode(_ path: String, _ mode: UInt32) throws(SystemCallError) {
        try check("chmod") { chmod(path, mode) }
    }
}
