internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// What has to go when a sandbox goes, complete or half-built.
///
/// The order is the reverse of making: processes, then cgroups, then the ids. Mounts, the network namespace and the disk
/// end with the last process and descriptor that holds them.
final class SandboxRemains: Sendable {
    private struct State {
        var process: SharedProcess?
        var isRemoved = false
    }

    private let group: SandboxGroup
    private let slot: UserSlot
    private let slots: UserSlots
    private let state = Mutex(State())

    init(group: SandboxGroup, slot: UserSlot, slots: UserSlots) {
        self.group = group
        self.slot = slot
        self.slots = slots
    }

    /// PID 1 exists from now on.
    func setProcess(_ process: SharedProcess) { state.withLock { $0.process = process } }

    /// Kills and removes everything; a second call does nothing. Returns whether all is gone.
    @discardableResult
    func remove() -> Bool {
        let process: SharedProcess? = state.withLock { state in
            guard !state.isRemoved else { return nil }
            state.isRemoved = true
            defer { state.process = nil }
            return state.process
        }
        try? group.group.kill()
        if let process {
            // A child that has not reached its cgroup yet is not in the group; PID 1's death ends its namespace.
            process.signal(SIGKILL)
            process.reap()
        }
        guard group.group.waitUntilEmpty(deadline: MonotonicClock.now + 10_000_000_000),
            (try? group.group.removeTree()) != nil
        else {
            // Something in an uninterruptible sleep: its ids stay out of use, and nobody waits for it.
            slots.quarantine(slot)
            return false
        }
        slots.giveBack(slot)
        return true
    }
}
