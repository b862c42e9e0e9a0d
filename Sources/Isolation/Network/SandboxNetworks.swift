internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// The networks of an instance's sandboxes: links, rules, and what `soulbox-egress` is told.
///
/// One change of the packet filter at a time; each is a single transaction of the kernel's.
final class SandboxNetworks: Sendable {
    /// The network of one sandbox.
    struct Attachment {
        var sandbox: String
        let link: SandboxLink
        var policy: NetworkPolicy
        var admitted = Admissions()
        /// Packets that were refused under earlier policies.
        var refusedBefore: Int64 = 0
    }

    struct State {
        /// By slot.
        var attachments: [Int: Attachment] = [:]
        var marks: UInt32
        var forwarding: Forwarding
        /// Where soulbox-egress listens.
        var ports: EgressPorts?
        /// The servers of names that soulbox-egress may ask.
        var resolvers: [String] = []
        /// How many rules the table has.
        var rules = 0
        /// Why there is no network; nil while there is.
        var problem: String?
    }

    /// How long soulbox-egress may take to close the connections of a policy that was changed.
    private static let closingMicroseconds: UInt32 = 500_000

    let rules: NetworkRules
    let feed = EgressFeed()
    let log: Logger
    let state: Mutex<State>
    let counts: RefusalCounts

    init(instance: String, settings: NetworkSettings, runDirectory: String, log: Logger) {
        rules = NetworkRules(instance: instance, settings: settings)
        counts = RefusalCounts(table: rules.table)
        self.log = log
        // Marks of an earlier run may still be in the table of connections: begin somewhere else.
        let start = UInt32(truncatingIfNeeded: MonotonicClock.now / 1_000_000)
        state = Mutex(State(marks: start, forwarding: Forwarding(file: "\(runDirectory)/forwarding")))
    }

    /// Why sandboxes can have no network here; nil when they can.
    var problem: String? { state.withLock { $0.problem } }

    /// Takes note of a sandbox that runs on from before, whose link is there. Before `start`.
    func adopt(_ sandbox: String, slot: UserSlot, network: SandboxNetwork) {
        guard network.enabled else { return }
        state.withLock { state in
            let link = SandboxLink(of: slot, instance: rules.instance)
            state.attachments[slot.index] = Attachment(
                sandbox: sandbox, link: link, policy: policy(network, on: link, &state))
        }
    }

    /// Puts the rules in place, with those of the sandboxes that run on, and begins to watch over them.
    func start() {
        let problem = prepare()
        state.withLock { $0.problem = problem }
        guard problem == nil else {
            log.warning("sandboxes have no network", metadata: ["reason": "\(problem ?? "")"])
            // Those that run on have no rules that could be kept right.
            let orphans = state.withLock { state in
                defer { state.attachments = [:] }
                return Array(state.attachments.values)
            }
            for orphan in orphans { orphan.link.remove() }
            return
        }
        let kept = state.withLock { Set($0.attachments.values.map(\.link.name)) }
        SandboxLink.removeAll(of: rules.instance, except: kept)
        publish()
        NetworkGuard(networks: self).start()
    }

    /// Gives a sandbox its network: rules first, then the link.
    func attach(
        _ sandbox: String, slot: UserSlot, namespace: SharedDescriptor, network: SandboxNetwork
    ) throws {
        try requireAvailable()
        let link = SandboxLink(of: slot, instance: rules.instance)
        try state.withLock { state in
            try openForwarding(&state)
            let policy = policy(network, on: link, &state)
            var commands = ElementCommands(table: rules.table)
            commands.add(policy)
            try PacketFilter.run(commands.text)
            state.attachments[slot.index] = Attachment(sandbox: sandbox, link: link, policy: policy)
        }
        do {
            try link.make(in: namespace)
        } catch {
            detach(slot)
            throw error
        }
        publish()
    }

    /// Whether a sandbox has a network.
    func isAttached(_ slot: UserSlot) -> Bool { state.withLock { $0.attachments[slot.index] != nil } }

    /// Changes what a sandbox may reach. What it reached and may not any more is cut off.
    ///
    /// - Parameter sandbox: Its name, which is another than before when one that stood ready has become somebody's.
    func change(_ slot: UserSlot, of sandbox: String, to network: SandboxNetwork) throws {
        try requireAvailable()
        let (old, isRenamed) = try state.withLock { state -> (UInt32?, Bool) in
            guard var attachment = state.attachments[slot.index] else { return (nil, false) }
            let isRenamed = attachment.sandbox != sandbox
            attachment.sandbox = sandbox
            state.attachments[slot.index] = attachment
            guard attachment.policy.network != network else { return (nil, isRenamed) }
            let old = attachment.policy
            attachment.refusedBefore += counts.current()[old.mark] ?? 0
            let new = policy(network, on: attachment.link, &state)
            var commands = ElementCommands(table: rules.table)
            commands.remove(old, admitted: attachment.admitted)
            commands.add(new)
            // One transaction: from one packet to the next the new policy is in force.
            try PacketFilter.run(commands.text)
            attachment.policy = new
            attachment.admitted = Admissions()
            state.attachments[slot.index] = attachment
            return (old.mark, isRenamed)
        }
        if old != nil || isRenamed { publish() }
        guard let old else { return }
        // Not at once: soulbox-egress closes what it passes on, and its word finds its way back by this table alone.
        WorkerThread.start(name: "forget") { [self] in
            usleep(SandboxNetworks.closingMicroseconds)
            forgetConnections(old)
        }
    }

    /// Takes a sandbox's network away; nothing when it has none.
    func detach(_ slot: UserSlot) {
        let attachment = state.withLock { state -> Attachment? in
            guard let attachment = state.attachments.removeValue(forKey: slot.index) else { return nil }
            // The link first: without it the rules are about nothing.
            attachment.link.remove()
            var commands = ElementCommands(table: rules.table)
            commands.remove(attachment.policy, admitted: attachment.admitted)
            do {
                try PacketFilter.run(commands.text)
            } catch {
                // Somebody has changed the table; what it must hold is known here.
                log.error("rules of a sandbox were not removed", metadata: ["error": "\(error)"])
                reload(&state)
            }
            forgetConnections(attachment.policy.mark)
            return attachment
        }
        if attachment != nil { publish() }
    }

    /// What has gone over a sandbox's link; nil when it has none.
    func traffic(of slot: UserSlot) -> SandboxTraffic? {
        guard let attachment = state.withLock({ $0.attachments[slot.index] }) else { return nil }
        let bytes = attachment.link.bytes
        return SandboxTraffic(
            sentBytes: bytes.sent, receivedBytes: bytes.received,
            refusedPackets: attachment.refusedBefore + (counts.current()[attachment.policy.mark] ?? 0))
    }

    /// Leaves the host as it was; while sandboxes with a network run on, their rules stay.
    func end() {
        state.withLock { state in
            guard state.attachments.isEmpty, state.problem == nil else { return }
            state.problem = "the service ends"
            _ = try? PacketFilter.run("delete table inet \(rules.table)\n")
            state.forwarding.end()
        }
    }

    func requireAvailable() throws(IsolationError) {
        if let problem { throw IsolationError(.networkUnavailable, problem) }
    }

    /// A policy with a mark that no other has.
    private func policy(_ network: SandboxNetwork, on link: SandboxLink, _ state: inout State) -> NetworkPolicy {
        state.marks = (state.marks + 1) & 0x00FF_FFFF
        return NetworkPolicy(
            link: link.name, address: NetworkAddresses.text(link.address), mark: NetworkPolicy.markPrefix | state.marks,
            network: network)
    }
}
