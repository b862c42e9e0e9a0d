internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

extension SandboxNetworks {
    /// Whether the host can give networks; if so the rules stand afterwards. Gives what is missing.
    func prepare() -> String? {
        guard rules.settings.isEnabled else { return "network.enabled is false" }
        guard IsolatorPrivileges.hasNetwork else { return "the isolator has no CAP_NET_ADMIN" }
        guard PacketFilter.isAvailable else { return "nft is missing, of the package nftables" }
        return state.withLock { state in
            do {
                try load(&state)
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    /// Puts the table in place of whatever is there.
    func load(_ state: inout State) throws {
        var commands = ElementCommands(table: rules.table)
        for attachment in state.attachments.values { commands.add(attachment.policy) }
        for link in state.forwarding.guarded.sorted() { commands.add("\"\(link)\"", to: "guarded") }
        state.resolvers = currentResolvers()
        for address in state.resolvers { commands.add(address, to: "resolvers") }
        for (port, target) in state.ports?.targets ?? [] { commands.add("\(port) : \(target)", to: "ports") }
        try PacketFilter.run(rules.text + commands.text)
        // What was admitted went with the old table.
        for slot in state.attachments.keys { state.attachments[slot]?.admitted = Admissions() }
        var socket = try NetlinkSocket(.netfilter)
        state.rules = try PacketFilter.ruleCount(of: rules.table, on: &socket)
    }

    /// Puts the table in place again after somebody has changed it. Until it stands, no sandbox has a link.
    func reload(_ state: inout State) {
        do {
            for attachment in state.attachments.values { try attachment.link.setUp(false) }
            // Names are asked for anew under new marks.
            for (slot, attachment) in state.attachments {
                state.marks = (state.marks + 1) & 0x00FF_FFFF
                let old = attachment.policy
                state.attachments[slot]?.policy = NetworkPolicy(
                    link: old.link, address: old.address, mark: NetworkPolicy.markPrefix | state.marks,
                    network: old.network)
            }
            try load(&state)
            for attachment in state.attachments.values { try attachment.link.setUp(true) }
        } catch {
            state.rules = 0
            log.critical("the rules of sandboxes' networks cannot be restored", metadata: ["error": "\(error)"])
        }
    }

    /// Looks whether the table is as it was left; puts it in place again when it is not.
    func verify() {
        let isRestored = state.withLock { state -> Bool in
            guard state.problem == nil else { return false }
            // A dump that somebody else's change ran into may be short: believe it when it says so three times.
            for _ in 0..<3 where isWhole(state) { return false }
            log.critical("the rules of sandboxes' networks were changed; restoring them")
            reload(&state)
            return true
        }
        if isRestored { publish() }
    }

    /// Follows the host: links that have come to have a route forward, other servers of names may be asked.
    func follow() {
        state.withLock { state in
            guard state.problem == nil, !state.attachments.isEmpty else { return }
            do {
                try openForwarding(&state)
                try followResolvers(&state)
            } catch {
                log.error("a change of the host's network was not followed", metadata: ["error": "\(error)"])
            }
        }
    }

    private func followResolvers(_ state: inout State) throws {
        let current = currentResolvers()
        guard current != state.resolvers else { return }
        var commands = ElementCommands(table: rules.table)
        for address in state.resolvers { commands.delete(address, from: "resolvers") }
        for address in current { commands.add(address, to: "resolvers") }
        try PacketFilter.run(commands.text)
        state.resolvers = current
    }

    /// What the operator named, else what the host asks (resolv.conf(5)).
    private func currentResolvers() -> [String] {
        var names = rules.settings.resolvers
        if names.isEmpty {
            let lines = ((try? Files.readString("/etc/resolv.conf")) ?? "").split(separator: "\n")
            names = lines.compactMap { line in
                let words = line.split(whereSeparator: \.isWhitespace)
                return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
            }
        }
        let addresses = names.compactMap { AddressRange($0) }.filter { !$0.isVersion6 && $0.prefix == 32 }
        return Set(addresses.map(\.description)).sorted()
    }

    func openForwarding(_ state: inout State) throws {
        if state.forwarding.isRouter {
            // Somebody else wants it to forward, since the start or since now: then nothing is ours to guard.
            guard !state.forwarding.guarded.isEmpty else { return }
            try PacketFilter.run("flush set inet \(rules.table) guarded\n")
            return state.forwarding.release()
        }
        let new = try state.forwarding.extend()
        guard !new.isEmpty else { return }
        var commands = ElementCommands(table: rules.table)
        for link in new.sorted() { commands.add("\"\(link)\"", to: "guarded") }
        // The rule first: the link must not forward for a moment what nobody asked it to.
        try PacketFilter.run(commands.text)
        try state.forwarding.open(new)
    }

    func forgetConnections(_ mark: UInt32) {
        do {
            var socket = try NetlinkSocket(.netfilter)
            try ConnectionTracking.forget(mark: mark, on: &socket)
        } catch {
            log.error("connections were not forgotten", metadata: ["error": "\(error)"])
        }
    }

    private func isWhole(_ state: borrowing State) -> Bool {
        guard var socket = try? NetlinkSocket(.netfilter) else { return false }
        return (try? PacketFilter.ruleCount(of: rules.table, on: &socket)) == state.rules
    }
}
