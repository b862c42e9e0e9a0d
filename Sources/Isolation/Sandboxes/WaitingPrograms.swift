internal import Glibc
internal import LinuxKernel

/// Ends the programs that wait in persistent sandboxes for an execution that does not come: an idle sandbox is to cost nothing.
final class WaitingPrograms: Sendable {
    /// How long one waits, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    private struct Entry: Sendable {
        let managed: ManagedSandbox
        /// One that was taken is gone with its execution: as long as it is held, so is a connection to PID 1.
        weak let process: StartedProgram?
        let until: UInt64
    }

    private let list = Monitor<[Entry]>([])

    /// Starts its thread.
    init() {
        WorkerThread.start(name: "waiting") { [self] in
            while true {
                guard let first = list.wait(for: { $0.first }) else { continue }
                let now = MonotonicClock.now
                if first.until > now { usleep(UInt32((first.until - now) / 1000 + 1)) }
                if let process = first.process { first.managed.endWaiting(process) }
                list.update { _ = $0.removeFirst() }
            }
        }
    }

    /// This one waits in somebody's sandbox from now on.
    func add(_ process: StartedProgram, in managed: ManagedSandbox) {
        let until = MonotonicClock.now + WaitingPrograms.patience
        list.update { $0.append(Entry(managed: managed, process: process, until: until)) }
    }
}
