internal import LinuxKernel
internal import SoulBoxStore
internal import Synchronization

/// What the database knows, for a page that must come also when the database has just gone away.
///
/// Between its end and the moment at which the watch has seen that, one page waits for it, and no other does.
final class PromptFigures: Sendable {
    /// Longer than the watch takes.
    private static let pauseNanoseconds: UInt64 = 4_000_000_000

    private let store: MetricStore
    private let failedAt = Mutex<UInt64?>(nil)

    /// Asks a store whose connections give up soon.
    init(_ store: MetricStore) { self.store = store }

    /// The figures; nil when they cannot be told now.
    func read() -> ServiceFigures? {
        let hasFailed = failedAt.withLock {
            $0.map { MonotonicClock.now < $0 + PromptFigures.pauseNanoseconds } ?? false
        }
        guard !hasFailed else { return nil }
        do {
            return try store.figures()
        } catch {
            failedAt.withLock { $0 = MonotonicClock.now }
            return nil
        }
    }
}
