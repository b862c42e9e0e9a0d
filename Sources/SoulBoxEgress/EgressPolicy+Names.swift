internal import IsolationProtocol
internal import SoulBoxModel

extension EgressPolicy {
    /// The ports at which a name may be reached; none means all, nil that it may not be reached.
    func ports(for name: String) -> [UInt16]? {
        var ports: [UInt16] = []
        var isAllowed = everything
        for host in names where EgressPolicy.matches(host.target, name) {
            guard let port = host.port else { return [] }
            isAllowed = true
            if !ports.contains(port) { ports.append(port) }
        }
        return isAllowed ? ports : nil
    }

    /// Whether a name may be reached at a port.
    func allows(_ name: String, port: UInt16) -> Bool {
        guard let ports = ports(for: name) else { return false }
        return ports.isEmpty || ports.contains(port)
    }

    /// Whole labels, or nothing: `notexample.com` is not below `example.com`.
    private static func matches(_ target: AllowedHost.Target, _ name: String) -> Bool {
        switch target {
        case .name(let allowed): name == allowed
        case .below(let parent): name.hasSuffix("." + parent) && name.utf8.count > parent.utf8.count + 1
        case .network: false
        }
    }
}
