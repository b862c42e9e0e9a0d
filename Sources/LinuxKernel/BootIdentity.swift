/// This start of the kernel, to tell what a file says of processes from before a reboot (random(4), boot_id).
public enum BootIdentity {
    /// Read once: it is the same as long as there is anybody to ask.
    private static let read = Result { () throws(SystemCallError) in
        String(try Files.readString("/proc/sys/kernel/random/boot_id").prefix { !$0.isWhitespace })
    }

    /// A UUID that the kernel draws when it starts.
    public static func current() throws(SystemCallError) -> String { try read.get() }
}
