internal import LinuxKernel
internal import Synchronization

/// When somebody last found no ready sandbox, for those whose work can wait while the ready ones last.
final class PoolMisses: Sendable {
    /// How long one counts, in nanoseconds.
    private static let memory: UInt64 = 200_000_000

    private let lastAt = Atomic<UInt64>(0)

    /// Notes one.
    func note(at now: UInt64) { lastAt.store(now, ordering: .relaxed) }

    /// Whether there was one just now.
    func isRecent(at now: UInt64) -> Bool {
        MonotonicClock.elapsed(from: lastAt.load(ordering: .relaxed), to: now) < PoolMisses.memory
    }
}
