internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// The servers of names that are asked: the operator's, else the host's (resolv.conf(5)).
final class NameServers: Sendable {
    private static let freshNanoseconds: UInt64 = 30_000_000_000
    private static let limit = 3

    private let fixed: [String]
    private let known = Mutex<(at: UInt64, addresses: [String])?>(nil)

    init(_ fixed: [String]) { self.fixed = fixed }

    /// In the order in which they are asked.
    var addresses: [String] {
        if !fixed.isEmpty { return fixed }
        let now = MonotonicClock.now
        if let known = known.withLock({ $0 }), now < known.at + NameServers.freshNanoseconds { return known.addresses }
        let text = (try? Files.readString("/etc/resolv.conf")) ?? ""
        let found = text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "nameserver", let address = AddressRange(String(words[1])),
                !address.isVersion6, address.prefix == 32
            else { return nil }
            return address.description
        }
        let addresses = Array(found.prefix(NameServers.limit))
        known.withLock { $0 = (now, addresses) }
        return addresses
    }
}
