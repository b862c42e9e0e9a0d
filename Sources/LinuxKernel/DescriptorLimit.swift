internal import Glibc

/// How many descriptors this process may have open (RLIMIT_NOFILE, getrlimit(2)).
public enum DescriptorLimit {
    /// The limit now.
    public static var current: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit to the most that is allowed: the usual 1024 is for programs that use select(2),
    /// which the services do not.
    public static func raise() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
