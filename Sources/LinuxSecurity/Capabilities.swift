internal import CCapability
internal import Glibc
public import LinuxKernel

/// The capabilities of the calling thread, and so of every thread and process that it makes later.
public enum Capabilities {
    /// Whether this process may have a capability.
    public static func isAvailable(_ capability: Capability) -> Bool { cap_get_bound(capability.rawValue) == 1 }

    /// Gives up all but these, in every set, for good.
    ///
    /// The kernel keeps capabilities for each thread: call it before the first other thread starts.
    public static func reduce(to kept: [Capability]) throws(SystemCallError) {
        // The bounding set first, while CAP_SETPCAP lasts: what it lacks no exec of a set-user-id program brings back.
        var number: cap_value_t = 0
        while cap_get_bound(number) >= 0 {
            if !kept.contains(where: { $0.rawValue == number }) {
                try check("cap_drop_bound") { cap_drop_bound(number) }
            }
            number += 1
        }
        guard let sets = cap_init() else { throw SystemCallError(call: "cap_init", errno: ENOMEM) }
        defer { cap_free(UnsafeMutableRawPointer(sets)) }
        let values = kept.map { cap_value_t($0.rawValue) }
        for set in [CAP_PERMITTED, CAP_EFFECTIVE] {
            try check("cap_set_flag") { cap_set_flag(sets, set, CInt(values.count), values, CAP_SET) }
        }
        // Inheritable and with it ambient stay empty.
        try check("cap_set_proc") { cap_set_proc(sets) }
    }
}
