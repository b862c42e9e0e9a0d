/// A capability (capabilities(7)).
public struct Capability: Sendable, Hashable {
    /// The kernel's number.
    public let rawValue: Int32

    /// CAP_CHOWN.
    public static let changeOwner = Capability(rawValue: 0)
    /// CAP_DAC_OVERRIDE.
    public static let overrideFileAccess = Capability(rawValue: 1)
    /// CAP_FOWNER.
    public static let fileOwner = Capability(rawValue: 3)
    /// CAP_KILL.
    public static let kill = Capability(rawValue: 5)
    /// CAP_SETGID.
    public static let setGroupID = Capability(rawValue: 6)
    /// CAP_SETUID.
    public static let setUserID = Capability(rawValue: 7)
    /// CAP_NET_ADMIN.
    public static let networkAdministration = Capability(rawValue: 12)
    /// CAP_SYS_CHROOT.
    public static let systemChangeRoot = Capability(rawValue: 18)
    /// CAP_SYS_PTRACE.
    public static let systemPtrace = Capability(rawValue: 19)
    /// CAP_SYS_ADMIN.
    public static let systemAdministration = Capability(rawValue: 21)
    /// CAP_SYS_RESOURCE.
    public static let systemResource = Capability(rawValue: 24)
    /// CAP_MKNOD.
    public static let makeNode = Capability(rawValue: 27)
}
