internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

extension SandboxNetworks {
    /// soulbox-egress listens there from now on.
    func setPorts(_ ports: EgressPorts) throws {
        try requireAvailable()
        try state.withLock { state in
            guard state.ports != ports else { return }
            var commands = ElementCommands(table: rules.table)
            for (port, target) in state.ports?.targets ?? [] { commands.delete("\(port) : \(target)", from: "ports") }
            for (port, target) in ports.targets { commands.add("\(port) : \(target)", to: "ports") }
            try PacketFilter.run(commands.text)
            state.ports = ports
        }
    }

    /// Lets a sandbox reach what one of its names means now.
    func admit(_ admission: AddressAdmission) throws {
        try requireAvailable()
        guard admission.addresses.count <= 64, admission.ports.count <= 16, (1...7200).contains(admission.seconds)
        else {
            throw IsolationError(.invalidSpec, "too many addresses")
        }
        let entries = try admission.addresses.flatMap { address in
            guard let range = AddressRange(address), !range.isVersion6, range.prefix == 32, !range.isNeverReachable
            else {
                throw IsolationError(.invalidSpec, "an address that is never reached")
            }
            let ports: [UInt16?] = admission.ports.isEmpty ? [nil] : admission.ports
            return ports.map { Admissions.Entry(address: range.description, port: $0) }
        }
        try state.withLock { state in
            let found = state.attachments.first { $0.value.sandbox == admission.sandbox }
            // A policy that was changed meanwhile knows nothing of the name.
            guard let (slot, attachment) = found, Int64(attachment.policy.mark) == admission.generation else {
                throw IsolationError(.sandboxNotFound, admission.sandbox)
            }
            guard state.attachments[slot]?.admitted.note(entries, seconds: admission.seconds) == true else {
                throw IsolationError(.busy, "too many addresses are admitted")
            }
            var commands = ElementCommands(table: rules.table)
            commands.admit(entries, for: attachment.policy, seconds: admission.seconds)
            try PacketFilter.run(commands.text)
        }
    }

    /// Tells soulbox-egress how things stand.
    func publish() {
        // Under the feed's own lock, and in the order of the changes: whoever comes later sees at least as much.
        feed.replace {
            state.withLock { state in
                state.attachments.values.map { attachment in
                    EgressPolicy(
                        sandbox: attachment.sandbox, address: attachment.policy.address,
                        generation: Int64(attachment.policy.mark), everything: attachment.policy.network.isOpen,
                        names: attachment.policy.network.names)
                }
            }
        }
    }
}
