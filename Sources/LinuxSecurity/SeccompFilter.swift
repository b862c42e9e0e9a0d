internal import CSeccomp
internal import Glibc
internal import LinuxKernel

/// A filter under construction (seccomp_init(3) to seccomp_release(3)).
struct SeccompFilter: ~Copyable {
    /// How an argument is compared.
    enum Comparison {
        case equal(UInt64)
        case notEqual(UInt64)
        case greater(UInt64)
        /// The bits under the mask are this value.
        case masked(UInt64, equal: UInt64)
    }

    /// What a system call gets.
    enum Action: Equatable {
        case allow
        /// The call does nothing and gives this error; 0 is success.
        case errno(UInt16)

        fileprivate var rawValue: UInt32 {
            switch self {
            case .allow: soulbox_act_allow()
            case .errno(let number): soulbox_act_errno(number)
            }
        }
    }

    private let context: scmp_filter_ctx

    private init(owning context: scmp_filter_ctx) { self.context = context }

    /// A filter that gives every call `action`, and ends a process that calls through another architecture's numbers:
    /// 32-bit x86 by `int 0x80`, or x32.
    static func make(default action: Action) throws(SeccompError) -> SeccompFilter {
        guard let context = seccomp_init(action.rawValue) else { throw SeccompError(call: "seccomp_init", code: 0) }
        let filter = SeccompFilter(owning: context)
        try check("seccomp_attr_set") {
            seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, soulbox_act_kill_process())
        }
        // A search tree instead of a chain: hundreds of numbers are looked up on every system call.
        try check("seccomp_attr_set") { seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) }
        return filter
    }

    deinit { seccomp_release(context) }

    /// Gives a call an action, when all comparisons hold.
    func add(_ action: Action, _ number: Int32, _ comparisons: [(argument: UInt32, Comparison)] = [])
        throws(SeccompError)
    {
        let rules = comparisons.map { argument, comparison in
            switch comparison {
            case .equal(let value): soulbox_compare(argument, CInt(SCMP_CMP_EQ.rawValue), value, 0)
            case .notEqual(let value): soulbox_compare(argument, CInt(SCMP_CMP_NE.rawValue), value, 0)
            case .greater(let value): soulbox_compare(argument, CInt(SCMP_CMP_GT.rawValue), value, 0)
            case .masked(let mask, let value): soulbox_compare(argument, CInt(SCMP_CMP_MASKED_EQ.rawValue), mask, value)
            }
        }
        try SeccompFilter.check("seccomp_rule_add_array(\(number))") {
            seccomp_rule_add_array(context, action.rawValue, number, UInt32(rules.count), rules)
        }
    }

    /// The compiled filter.
    func export() throws(SeccompError) -> SeccompProgram {
        do {
            let file = try SealedFile(name: "seccomp")
            try SeccompFilter.check("seccomp_export_bpf") { seccomp_export_bpf(context, file.rawValue) }
            let descriptor = try file.seal()
            return SeccompProgram(bytes: try Files.read(from: descriptor.rawValue, count: 1 << 20))
        } catch let error as SeccompError {
            throw error
        } catch {
            throw SeccompError(call: "\(error)", code: 0)
        }
    }

    private static func check(_ call: String, _ body: () -> Int32) throws(SeccompError) {
        let result = body()
        guard result == 0 else { throw SeccompError(call: call, code: result) }
    }
}
