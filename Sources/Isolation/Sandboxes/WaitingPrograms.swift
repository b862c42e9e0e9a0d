internal import Glibc
internal import LinuxKernel

/// Ends the programs that wait in new sandboxes for a first execution that does not come: an idle sandbox is to cost nothing.
final class WaitingPrograms: Sendable {
    /// How long one waits after its sandbox has become somebody's, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    private typealias Entry = (managed: ManagedSandbox, until: UInt64)

    private let list = Monitor<[Entry]>([])

    /// Starts its thread.
    init() {
        WorkerThread.start(name: "waiting") { [self] in
            while true {
                guard let first = list.wait(for: { $0.first }) else { continue }
                let now = MonotonicClock.now
                if first.until > now { usleep(UInt32((first.until - now) / 1000 + 1)) }
                first.managed.endWaiting()
                list.update { _ = $0.removeFirst() }
            }
        }
    }

    /// Somebody's from now on.
    func add(_ managed: ManagedSandbox) {
        list.update { $0.append((managed, MonotonicClock.now + WaitingPrograms.patience)) }
    }
}
