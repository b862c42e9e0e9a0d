internal import LinuxKernel

/// Lets the host's own links pass the sandboxes' packets on, link by link.
///
/// The switch for all links (`net.ipv4.ip_forward`) is not touched: it would make a router of a host that is none. A link
/// that forwards only because of us is guarded by a rule that lets nothing pass but what belongs to sandboxes. Which ones
/// they are is kept in a file, for a later start of the service.
struct Forwarding {
    private let file: String
    /// Links that forward because of us.
    private(set) var guarded: Set<String>

    init(file: String) {
        self.file = file
        let text = (try? Files.readString(file)) ?? ""
        guarded = Set(text.split(separator: "\n").map(String.init))
    }

    /// Lets every link that has a route forward. Gives those that did not before.
    mutating func extend() throws(SystemCallError) -> Set<String> {
        var new: Set<String> = []
        for link in Forwarding.routed() {
            let path = Forwarding.path(link)
            guard let state = try? Files.readString(path), state.hasPrefix("0") else { continue }
            new.insert(link)
        }
        guard !new.isEmpty else { return [] }
        // Noted before it is done: a crash in between leaves a note too many and no open link.
        guarded.formUnion(new)
        try note()
        return new
    }

    /// Turns it on, once the rule guards it.
    func open(_ links: Set<String>) throws(SystemCallError) {
        for link in links { try Files.write(Forwarding.path(link), [UInt8(ascii: "1")]) }
    }

    /// Whether the host is a router by its operator's will, or by that of another service's.
    var isRouter: Bool {
        (try? Files.readString("/proc/sys/net/ipv4/conf/all/forwarding"))?.hasPrefix("1") == true
    }

    /// What forwards because of us is no longer so.
    mutating func release() {
        guarded = []
        try? Files.removeTree(file)
    }

    /// Leaves the host as it was.
    mutating func end() {
        for link in guarded where Files.exists(Forwarding.path(link)) {
            try? Files.write(Forwarding.path(link), [UInt8(ascii: "0")])
        }
        release()
    }

    /// The links with a route (proc_pid_net(5), route), the sandboxes' own and the loopback left out.
    private static func routed() -> Set<String> {
        let lines = ((try? Files.readString("/proc/net/route")) ?? "").split(separator: "\n").dropFirst()
        let names = lines.compactMap { $0.split(separator: "\t").first.map { $0.trimmed } }
        return Set(names.filter { $0 != "lo" && !$0.hasPrefix("sb") && !$0.contains("/") && !$0.hasPrefix(".") })
    }

    private static func path(_ link: String) -> String { "/proc/sys/net/ipv4/conf/\(link)/forwarding" }

    private func note() throws(SystemCallError) {
        try Files.writeAtomically(file, Array(guarded.sorted().joined(separator: "\n").utf8), mode: 0o600)
    }
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0 == " " }.prefix { $0 != " " }) }
}
