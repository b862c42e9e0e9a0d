internal import CSeccomp
internal import Glibc

/// Names and numbers of system calls on this architecture.
enum SystemCallTable {
    /// The highest number that is looked at; kernels of today end below 480.
    static let highest: Int32 = 600

    /// Calls younger than the libseccomp of Debian 12. From number 424 on, numbers are the same on all architectures
    /// (include/uapi/asm-generic/unistd.h); uretprobe is x86-64's own.
    private static let young: [String: Int32] = {
        var table: [String: Int32] = [
            "futex_waitv": 449, "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454,
            "futex_wait": 455, "futex_requeue": 456, "statmount": 457, "listmount": 458, "mseal": 462,
        ]
        #if arch(x86_64)
            table["uretprobe"] = 335
        #endif
        return table
    }()

    /// The number of a call; nil when this architecture has none of that name.
    static func number(of name: String) -> Int32? {
        let number = seccomp_syscall_resolve_name(name)
        // Negative numbers are libseccomp's own names for calls that other architectures have.
        return number >= 0 ? number : young[name]
    }

    /// The numbers that have a name here.
    static var named: [Int32] {
        let known = (0...highest).filter { number in
            guard let name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else { return false }
            free(name)
            return true
        }
        return known + young.values.filter { !known.contains($0) }
    }
}
