internal import LinuxKernel

/// Runs a program on input that strangers made: as a user who owns nothing and has no capability, in a root that holds
/// nothing else, with namespaces of its own, and not for ever.
///
/// It takes part in the caller's mount namespace, which is one of PrivateMounts.
struct Confinement: ~Copyable {
    /// An id that Debian gives to nobody.
    static let user: UInt32 = 65_533

    /// What limits a program.
    struct Limits {
        /// Seconds until it is killed.
        var seconds = 1800
        /// Bytes of the largest file that it may write.
        var fileBytes: Int64 = 1 << 40
        /// Bytes of memory for its data.
        var memoryBytes: Int64 = 4 << 30
    }

    /// The directory that programs see as `/`.
    let root: String
    private let limits: Limits

    /// A root below a directory of ours, with the host's programs and one directory that can be written: `/work`.
    init(tools directory: String, work: String, network: Bool, limits: Limits) throws(SystemCallError) {
        self.limits = limits
        root = "\(directory)/tools"
        try Confinement.mountTemporary(root)
        try Confinement.bind("/usr", to: "\(root)/usr", [.readOnly, .noSUID, .noDevices])
        for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
            guard let status = try? Files.status("/\(name)") else { continue }
            if status.isLink {
                try Files.makeSymbolicLink(
                    "\(root)/\(name)", to: try Files.readLink("/\(name)"), at: Files.workingDirectory)
            } else {
                try Confinement.bind("/\(name)", to: "\(root)/\(name)", [.readOnly, .noSUID, .noDevices])
            }
        }
        try Confinement.bind(work, to: "\(root)/work", [.noSUID, .noDevices, .noExecute])
        try Files.makeDirectory("\(root)/etc", mode: 0o755)
        if network {
            // Names and certificates of servers, and nothing else of the host's settings.
            for name in ["resolv.conf", "hosts", "nsswitch.conf"] {
                guard let bytes = try? Files.read("/etc/\(name)") else { continue }
                try Files.writeAtomically("\(root)/etc/\(name)", bytes, mode: 0o644)
            }
            if Files.exists("/etc/ssl/certs") {
                try Files.makeDirectory("\(root)/etc/ssl", mode: 0o755)
                try Confinement.bind("/etc/ssl/certs", to: "\(root)/etc/ssl/certs", [.readOnly, .noSUID, .noDevices])
            }
        }
    }

    /// A root filesystem, which cannot be written, as the root.
    init(image: String, in directory: String, limits: Limits) throws(SystemCallError) {
        self.limits = limits
        root = "\(directory)/image-root"
        try Confinement.bind(image, to: root, [.readOnly, .noSUID, .noDevices])
        try Mount.mount(
            type: "tmpfs", at: "\(root)/tmp", flags: [.noSUID, .noDevices, .noExecute],
            data: "mode=1777,size=64m,nr_inodes=4096")
    }

    deinit { try? Mount.unmount(root, detach: true) }

    /// Runs a program of the root's to its end; what it says comes line by line, without control characters.
    func run(
        _ path: String, _ arguments: [String], environment: [String], input: CInt? = nil, network: Bool = false,
        processes: Bool = false, line: (String) -> Void
    ) throws(SystemCallError) -> ExitStatus {
        let memory = String(limits.memoryBytes)
        var command = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        // The mount namespace is one of its own too, so that procfs stays in it.
        command += [
            "/usr/bin/unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child=KILL",
        ]
        if !network { command.append("--net") }
        if processes { command.append("--mount-proc=\(root)/proc") }
        // The first process of the namespace: with it everything else ends.
        command += ["/usr/bin/timeout", "--signal=KILL", String(limits.seconds)]
        // A file that grows too large is an error that programs can tell of, not their end.
        command += [
            "/usr/bin/env", "--ignore-signal=XFSZ", "/usr/bin/prlimit", "--core=0", "--nofile=1024:1024", "--nproc=512",
            "--fsize=\(limits.fileBytes)",
            "--data=\(memory)",
        ]
        command += [
            "/usr/bin/setpriv", "--no-new-privs", "--inh-caps=-all",
            "--bounding-set=-all,+sys_chroot,+setuid,+setgid",
        ]
        // Last, because the programs before are the host's: changes the root, then the user, and so loses what is left.
        command += [
            "/usr/sbin/chroot", "--userspec=+\(Confinement.user):+\(Confinement.user)", "--groups=", root, path,
        ]
        return try ChildProcess.run(
            command[0], Array(command[1...]) + arguments, environment: environment, input: input
        ) { line(Confinement.printable($0)) }
    }

    /// A text without what would move a terminal's cursor or change its colours.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(2000).filter { $0.properties.generalCategory != .control }))
    }

    private static func mountTemporary(_ path: String) throws(SystemCallError) {
        try Files.makeDirectory(path, mode: 0o755)
        try Mount.mount(
            type: "tmpfs", at: path, flags: [.noSUID, .noDevices], data: "mode=0755,size=64m,nr_inodes=4096")
        try Files.makeDirectory("\(path)/tmp", mode: 0o1777)
    }

    private static func bind(_ source: String, to target: String, _ attributes: Mount.Attributes)
        throws(SystemCallError)
    {
        try Files.makeDirectory(target, mode: 0o755)
        let mount = try Mount.openTree(source, clone: true)
        try Mount.setAttributes(of: mount, attributes)
        try Mount.move(mount, to: target)
    }
}
