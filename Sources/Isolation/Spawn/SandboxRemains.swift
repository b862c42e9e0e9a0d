internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// What has to go when a sandbox goes, complete or half-built.
///
/// The order is the reverse of making: processes, then cgroups, the link with its rules, and last the ids, from which the
/// link has its name and address. Mounts, the network namespace and the disk end with the last process and descriptor
/// that holds them.
final class SandboxRemains: Sendable {
    private struct State {
        var process: SharedProcess?
        var held: [InitConnection] = []
        var isRemoved = false
    }

    private let group: SandboxGroup
    private let slot: UserSlot
    private let slots: UserSlots
    private let networks: SandboxNetworks
    private let state = Mutex(State())

    init(group: SandboxGroup, slot: UserSlot, slots: UserSlots, networks: SandboxNetworks) {
        self.group = group
        self.slot = slot
        self.slots = slots
        self.networks = networks
    }

    /// PID 1 exists from now on.
    func setProcess(_ process: SharedProcess) { state.withLock { $0.process = process } }

    /// Keeps a connection to PID 1 open until the sandbox goes.
    func hold(_ connection: InitConnection) { state.withLock { $0.held.append(connection) } }

    /// Kills and removes everything, in at most ten seconds. Returns whether all is gone; once it is, a further call does
    /// nothing.
    ///
    /// What is in an uninterruptible sleep stays, and its ids stay out of use with it until a later call succeeds.
    @discardableResult
    func remove() -> Bool {
        let (process, isRemoved) = state.withLock { ($0.process, $0.isRemoved) }
        if isRemoved { return true }
        try? group.group.kill()
        let deadline = MonotonicClock.now + 10_000_000_000
        if let process {
            // A child that has not reached its cgroup yet is not in the group; PID 1's death ends its namespace.
            process.signal(SIGKILL)
            // PID 1 ends after the last process of its namespace, so this too must not wait for ever.
            guard process.reap(until: deadline) else { return false }
            state.withLock { state in
                state.process = nil
                state.held = []
            }
        }
        guard group.group.waitUntilEmpty(deadline: deadline), (try? group.group.removeTree()) != nil else {
            return false
        }
        networks.detach(slot)
        state.withLock { $0.isRemoved = true }
        slots.giveBack(slot)
        return true
    }
}
