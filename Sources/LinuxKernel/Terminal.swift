internal import CLinux
internal import Glibc

/// Pseudo-terminals (pty(7)).
public enum Terminal {
    /// Opens one of the devpts that is mounted on `dev/pts` below a root; `first` is the end of whoever plays the terminal.
    ///
    /// Both ends are close-on-exec, and become nobody's controlling terminal (O_NOCTTY).
    public static func open(below root: CInt) throws(SystemCallError) -> DescriptorPair {
        let master = try Files.open("dev/pts/ptmx", .readWrite, resolve: .inRoot, at: root)
        let raw = master.rawValue
        let peer = try check("ioctl") { soulbox_terminal_peer(raw) }
        return DescriptorPair(first: master, second: Descriptor(owning: peer))
    }

    /// Tells a terminal its size (ioctl_tty(2), TIOCSWINSZ); its foreground processes get SIGWINCH.
    public static func resize(_ descriptor: CInt, rows: UInt16, columns: UInt16) throws(SystemCallError) {
        try check("ioctl") { soulbox_set_terminal_size(descriptor, rows, columns) }
    }
}
