internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Answers soulbox-egress on one connection: tells it of policies, and admits the addresses that it has found.
struct EgressCalls {
    /// Policies in one reply: each has at most 256 names of at most 300 bytes, and a message 256 KiB.
    private static let replyBytes = 128 << 10
    /// How often an idle watcher is looked at, in milliseconds: it may have gone.
    private static let lookMilliseconds: UInt64 = 1000

    let networks: SandboxNetworks
    let connection: VarlinkConnection
    let log: Logger

    /// Serves until the peer closes or breaks the protocol.
    func serve() {
        do throws(IsolationError) {
            while let message = try connection.receive(wait: true) { try answer(message) }
        } catch {
            if error.code != .unavailable { log.warning("egress connection closed", metadata: ["error": "\(error)"]) }
        }
    }

    private func answer(_ message: JSONValue) throws(IsolationError) {
        let parameters = message["parameters"] ?? [:]
        switch message["method"]?.stringValue {
        case "io.soulbox.isolation.WatchEgress":
            guard message["more"]?.boolValue == true else { return try fail("org.varlink.service.ExpectedMore", [:]) }
            guard let names = port("dns_port", parameters), let connections = port("proxy_port", parameters) else {
                return try fail("org.varlink.service.InvalidParameter", ["parameter": "dns_port"])
            }
            let outcome = Result { try networks.setPorts(EgressPorts(names: names, connections: connections)) }
            if case .failure(let error) = outcome { return try fail(error) }
            log.notice("soulbox-egress is connected")
            try watch()
        case "io.soulbox.isolation.AdmitAddresses":
            guard let admission = AddressAdmission(json: parameters) else {
                return try fail("org.varlink.service.InvalidParameter", ["parameter": "addresses"])
            }
            let outcome = Result { try networks.admit(admission) }
            if case .failure(let error) = outcome { return try fail(error) }
            try connection.send(["parameters": [:]])
        default:
            try fail("org.varlink.service.MethodNotFound", ["method": message["method"] ?? .null])
        }
    }

    /// Tells of all policies, and from then on of what changes.
    private func watch() throws(IsolationError) {
        var told: [String: EgressPolicy] = [:]
        var version = -1
        while true {
            guard let news = networks.feed.wait(after: version, milliseconds: EgressCalls.lookMilliseconds) else {
                if isPeerGone { return }
                continue
            }
            let changed = news.policies.values.filter { told[$0.sandbox] != $0 }
            let removed = told.keys.filter { news.policies[$0] == nil }
            if version < 0 || !changed.isEmpty || !removed.isEmpty { try tell(changed, removed) }
            told = news.policies
            version = news.version
        }
    }

    private func tell(_ changed: [EgressPolicy], _ removed: [String]) throws(IsolationError) {
        var rest = changed[...]
        var gone = removed[...]
        repeat {
            var batch: [EgressPolicy] = []
            var size = 0
            while let next = rest.first, size < EgressCalls.replyBytes {
                size += next.json.bytes.count
                // One that is large goes alone.
                guard batch.isEmpty || size < EgressCalls.replyBytes else { break }
                batch.append(next)
                rest = rest.dropFirst()
            }
            let update = EgressUpdate(
                policies: batch, removed: Array(gone.prefix(1000)), isComplete: rest.isEmpty && gone.count <= 1000)
            gone = gone.dropFirst(1000)
            try connection.send(["parameters": update.json, "continues": true])
        } while !rest.isEmpty || !gone.isEmpty
    }

    private var isPeerGone: Bool {
        var entries = [PollEntry(descriptor: connection.pollDescriptor, events: [.input, .remoteHangUp])]
        _ = try? Poll.wait(&entries, timeout: 0)
        return !entries[0].returned.isEmpty
    }

    private func port(_ name: String, _ parameters: JSONValue) -> UInt16? {
        parameters[name]?.integerValue.flatMap(UInt16.init(exactly:)).flatMap { $0 == 0 ? nil : $0 }
    }

    private func fail(_ error: any Error) throws(IsolationError) {
        let told = error as? IsolationError ?? IsolationError(.isolationFailed, "\(error)")
        if told.code == .isolationFailed { log.error("egress call failed", metadata: ["error": "\(error)"]) }
        try fail(told.varlinkName, told.varlinkParameters)
    }

    private func fail(_ name: String, _ parameters: JSONValue) throws(IsolationError) {
        try connection.send(["error": .string(name), "parameters": parameters])
    }
}
