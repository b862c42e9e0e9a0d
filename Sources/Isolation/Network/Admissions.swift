internal import LinuxKernel

/// The addresses that were admitted for a policy's names and may still be in the kernel's sets.
struct Admissions: Sendable {
    /// An address, with one port or all.
    struct Entry: Sendable, Hashable {
        let address: String
        let port: UInt16?

        /// The set that it belongs to, and itself there.
        func element(of policy: NetworkPolicy) -> (set: String, element: String) {
            port.map { ("name_ports", "\(policy.markText) . \(address) . \($0)") }
                ?? ("names", "\(policy.markText) . \(address)")
        }
    }

    /// How many one policy may have at once.
    static let limit = 4096

    private var ends: [Entry: UInt64] = [:]

    init() {}

    /// Notes entries; false when there would be too many.
    mutating func note(_ entries: [Entry], seconds: Int) -> Bool {
        let now = MonotonicClock.now
        // The kernel's clock of elements is coarser than ours.
        if ends.count + entries.count > Admissions.limit { ends = ends.filter { $0.value + 2_000_000_000 > now } }
        let new = entries.count { ends[$0] == nil }
        guard ends.count + new <= Admissions.limit else { return false }
        for entry in entries { ends[entry] = now + UInt64(seconds) * 1_000_000_000 }
        return true
    }

    /// All as elements.
    func elements(of policy: NetworkPolicy) -> [(set: String, element: String)] {
        ends.keys.map { $0.element(of: policy) }
    }
}
