internal import CLinux
internal import Glibc

/// Whose files the calling thread makes, and which it may reach (setfsuid(2), setfsgid(2)).
public enum FileIdentity {
    /// Runs `body` with another user's identity towards files, and nothing of root's power over them unless
    /// `keepingCapabilities`.
    ///
    /// Failing to come back would leave the thread with another's identity: then the process ends.
    public static func with<Result>(
        user: UInt32, group: UInt32, keepingCapabilities: Bool = false,
        _ body: () throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        try check("setfsuid") { soulbox_set_file_ids(user, group, keepingCapabilities ? 1 : 0) }
        defer {
            // Going back to root gives the effective capabilities over files back (capabilities(7)).
            if soulbox_set_file_ids(0, 0, 0) != 0 { fatalError("the thread cannot be root towards files again") }
        }
        return try body()
    }
}
