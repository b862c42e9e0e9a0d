internal import Glibc

/// Doing nothing for a while.
public enum Pause {
    /// Waits that long.
    public static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
