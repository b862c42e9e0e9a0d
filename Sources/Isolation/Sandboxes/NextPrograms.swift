internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Starts what waits in a persistent sandbox for the next execution, when one has ended: who executes once often does so
/// again, and an interpreter takes longer to start than most of what it is started for.
final class NextPrograms: Sendable {
    /// How long it may take until there is a moment for it, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    private struct Wish: Sendable {
        let managed: ManagedSandbox
        /// Nil has a process stand before its exec.
        let command: PrestartedProgram.Command?
        let limits: ExecutionLimits
        let at: UInt64
    }

    private let queue: ExecutionQueue
    private let filters: SeccompFilters
    private let waiting: WaitingPrograms
    private let log: Logger
    private let wishes = Monitor<[Wish]>([])

    /// - Parameters:
    ///   - queue: The executions that run, which come first.
    ///   - waiting: What ends those that nobody needs.
    init(queue: ExecutionQueue, filters: SeccompFilters, waiting: WaitingPrograms, log: Logger) {
        self.queue = queue
        self.filters = filters
        self.waiting = waiting
        self.log = log
    }

    /// Starts its thread.
    func start() {
        WorkerThread.start(name: "next") { [self] in
            while true {
                guard let wish = wishes.wait(for: { $0.first }) else { continue }
                serve(wish)
                wishes.update { _ = $0.removeFirst() }
            }
        }
    }

    /// An execution has ended in that sandbox; the next will be like it.
    ///
    /// - Parameter command: The interpreter that is to wait; nil has a process stand before its exec.
    func want(_ command: PrestartedProgram.Command?, _ limits: ExecutionLimits, in managed: ManagedSandbox) {
        wishes.update { $0.append(Wish(managed: managed, command: command, limits: limits, at: MonotonicClock.now)) }
    }

    private func serve(_ wish: Wish) {
        while !queue.hasRoom {
            // The machine has better things to do.
            guard MonotonicClock.elapsed(from: wish.at, to: MonotonicClock.now) < NextPrograms.patience else { return }
            usleep(5000)
        }
        do {
            if let process = try wish.managed.startWaiting(wish.command, wish.limits, filters) {
                waiting.add(process.started, in: wish.managed)
            }
        } catch {
            // The next execution starts its own.
            log.debug(
                "no program waits for the next execution",
                metadata: ["sandbox.id": "\(wish.managed.id)", "error": "\(error)"])
        }
    }
}
