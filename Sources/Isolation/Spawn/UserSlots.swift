internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// The user id slots of this instance.
///
/// All instances of the machine share the ids above `firstID`. Each takes one range of `count` slots by a lock on a file
/// in the lease directory; the kernel drops the lock with the process, so a crash leaks no range.
final class UserSlots: Sendable {
    private static let firstID: UInt32 = 0x1000_0000
    private static let count = 1024
    private static let ranges = 56

    private struct State {
        var free: [Int]
    }

    private let lease: SharedDescriptor
    private let base: UInt32
    private let state: Mutex<State>

    /// Leases a range: the one that this instance had before, if nobody took it, since its persistent sandboxes may run on.
    ///
    /// - Parameter isAlive: Whether another instance has sandboxes: its lock is gone while its isolator restarts, but its
    ///   ids are in use.
    init(leaseDirectory: String, instance: String, isAlive: (String) -> Bool) throws(SandboxError) {
        let names = (0..<UserSlots.ranges).map { (try? Files.readString("\(leaseDirectory)/\($0)")) ?? "" }
        let own = names.indices.filter { names[$0] == instance }
        let others = names.indices.filter { names[$0] != instance && (names[$0].isEmpty || !isAlive(names[$0])) }
        for range in own + others {
            let raw = open("\(leaseDirectory)/\(range)", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard raw >= 0 else { throw SandboxError(.userSlot, errno: errno) }
            let descriptor = SharedDescriptor(Descriptor(owning: raw))
            guard flock(raw, LOCK_EX | LOCK_NB) == 0 else { continue }
            ftruncate(raw, 0)
            _ = instance.withCString { write(raw, $0, strlen($0)) }
            lease = descriptor
            base = UserSlots.firstID + UInt32(range * UserSlots.count) * UserSlot.size
            state = Mutex(State(free: Array((0..<UserSlots.count).reversed())))
            return
        }
        throw SandboxError(.userSlot, errno: EAGAIN)
    }

    /// The slot of a sandbox that runs on from before; nil when its ids are not of this lease, or taken.
    func claim(_ index: Int, base wanted: UInt32) -> UserSlot? {
        let slot = UserSlot(index: index, base: base + UInt32(clamping: index) * UserSlot.size)
        guard (0..<UserSlots.count).contains(index), slot.base == wanted else { return nil }
        return state.withLock { state in
            guard let place = state.free.firstIndex(of: index) else { return nil }
            state.free.remove(at: place)
            return slot
        }
    }

    /// A slot that nobody has; nil when all are taken.
    func take() -> UserSlot? {
        state.withLock { state in
            state.free.popLast().map { UserSlot(index: $0, base: base + UInt32($0) * UserSlot.size) }
        }
    }

    /// How many slots nobody has.
    var freeCount: Int { state.withLock { $0.free.count } }

    /// Gives a slot back, after nothing of its ids is left.
    ///
    /// It goes to the end of the line, so that an id is used again as late as possible.
    func giveBack(_ slot: UserSlot) { state.withLock { $0.free.insert(slot.index, at: 0) } }
}
