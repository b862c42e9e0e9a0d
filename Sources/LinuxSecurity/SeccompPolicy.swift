internal import Glibc

/// The two filters of every program.
///
/// Two, because one libseccomp filter that allows a call as a whole and denies it for an argument lets the argument
/// through: the shorter rule wins. The kernel runs both on each call and takes the stricter verdict (seccomp(2)).
public enum SeccompPolicy {
    /// The names in the lists that mean nothing here; a misspelt one would silently allow nothing.
    public static func unresolvedNames() -> [String] {
        (SystemCallLists.allowed + SystemCallLists.unknown).filter { SystemCallTable.number(of: $0) == nil }
    }

    /// The first filter: which calls there are.
    ///
    /// Another architecture's numbers end the process; calls that nobody here has heard of are unknown (ENOSYS), so that
    /// a newer libc falls back instead of failing; everything with a name that is not allowed is forbidden (EPERM).
    public static func numbers() throws(SeccompError) -> SeccompProgram {
        let filter = try SeccompFilter.make(default: .errno(UInt16(ENOSYS)))
        var decided = Set(SystemCallLists.unknown.compactMap(SystemCallTable.number))
        for number in SystemCallLists.allowed.compactMap(SystemCallTable.number) where decided.insert(number).inserted {
            try filter.add(.allow, number)
        }
        // sync(2) of a sandbox would flush every tenant's disk: it succeeds and does nothing.
        if let sync = SystemCallTable.number(of: "sync"), decided.insert(sync).inserted {
            try filter.add(.errno(0), sync)
        }
        if let personality = SystemCallTable.number(of: "personality"), decided.insert(personality).inserted {
            // The five that runtimes use; any other would switch protections off, such as ADDR_NO_RANDOMIZE.
            for persona: UInt64 in [0x0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF] {
                try filter.add(.allow, personality, [(0, .equal(persona))])
            }
        }
        for number in SystemCallTable.named where decided.insert(number).inserted {
            try filter.add(.errno(UInt16(EPERM)), number)
        }
        return try filter.export()
    }

    /// The second filter: which arguments allowed calls may have.
    public static func arguments() throws(SeccompError) -> SeccompProgram {
        let filter = try SeccompFilter.make(default: .allow)
        let denied = SeccompFilter.Action.errno(UInt16(EPERM))
        func deny(_ name: String, _ comparisons: [(argument: UInt32, SeccompFilter.Comparison)]) throws(SeccompError) {
            guard let number = SystemCallTable.number(of: name) else { return }
            try filter.add(denied, number, comparisons)
        }
        let low: UInt64 = 0xFFFF_FFFF
        // Typing into somebody's terminal. The kernel looks at the low half of the argument only, so the filter must too.
        for request: UInt64 in [0x5412, 0x541C, 0x541D] {
            try deny("ioctl", [(1, .masked(low, equal: request))])
        }
        // Namespaces: mount, cgroup, uts, ipc, user, pid, network. Bit by bit, for any combination holds one of them.
        for flag: UInt64 in [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
            try deny("clone", [(0, .masked(flag, equal: flag))])
        }
        // Socket families: unix, IPv4, IPv6 and netlink; one by one up to 16, everything above at once. Values with
        // anything in the upper half are above 16 as well.
        for family: UInt64 in [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15] { try deny("socket", [(0, .equal(family))]) }
        try deny("socket", [(0, .greater(16))])
        // Raw sockets of the internet families; netlink's are raw by nature and need protocol 0, which glibc uses.
        for family: UInt64 in [2, 10] { try deny("socket", [(0, .equal(family)), (1, .masked(0xF, equal: 3))]) }
        try deny("socket", [(1, .masked(0xF, equal: 10))])
        try deny("socket", [(0, .equal(16)), (2, .notEqual(0))])
        try deny("socketpair", [(0, .notEqual(1))])
        // PR_SET_MM moves the marks that /proc shows of a process.
        try deny("prctl", [(0, .masked(low, equal: 35))])
        // Device nodes, character and block.
        for type: UInt64 in [0o020000, 0o060000] {
            try deny("mknod", [(1, .masked(0o170000, equal: type))])
            try deny("mknodat", [(2, .masked(0o170000, equal: type))])
        }
        return try filter.export()
    }
}
