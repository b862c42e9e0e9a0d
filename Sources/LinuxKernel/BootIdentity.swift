/// This start of the kernel, to tell what a file says of processes from before a reboot (random(4), boot_id).
public enum BootIdentity {
    /// A UUID that the kernel draws when it starts.
    public static func current() throws(SystemCallError) -> String {
        String(try Files.readString("/proc/sys/kernel/random/boot_id").prefix { !$0.isWhitespace })
    }
}
