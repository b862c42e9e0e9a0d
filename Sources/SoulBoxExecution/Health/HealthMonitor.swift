internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// Watches the components that the service stands on, so that `GET /health` answers at once whatever they do.
///
/// Each component is asked once a second on a thread of its own. A question that hangs makes that component unhealthy,
/// and nothing else.
public final class HealthMonitor: Sendable {
    /// A component and the question that it answers by returning.
    public struct Component: Sendable {
        /// Its name in the answer.
        public let name: String
        /// Throws when the component is not well; should give up within 500 ms.
        public let check: @Sendable () throws -> Void

        /// Makes a component.
        public init(name: String, check: @escaping @Sendable () throws -> Void) {
            self.name = name
            self.check = check
        }
    }

    /// How a component stands.
    struct Finding: Sendable, Equatable {
        let name: String
        let isHealthy: Bool
        let lastCheck: Timestamp
    }

    private struct Check {
        var isHealthy = false
        var completedAt: Timestamp
        var begunAt: UInt64?
    }

    private static let pauseMicroseconds: UInt32 = 1_000_000
    private static let patienceNanoseconds: UInt64 = 2_000_000_000

    private let components: [Component]
    private let checks: Mutex<[Check]>

    /// Makes a monitor; nothing is asked before `start()`.
    public init(_ components: [Component]) {
        self.components = components
        checks = Mutex(components.map { _ in Check(completedAt: .now) })
    }

    /// Asks every component once, then goes on asking in the background for as long as the process lives.
    public func start() {
        for index in components.indices {
            WorkerThread.start(name: "health-\(index)") { [self] in
                while true {
                    check(index)
                    usleep(HealthMonitor.pauseMicroseconds)
                }
            }
        }
    }

    /// Asks one component.
    func check(_ index: Int) {
        checks.withLock { $0[index].begunAt = MonotonicClock.now }
        let isHealthy = (try? components[index].check()) != nil
        checks.withLock { $0[index] = Check(isHealthy: isHealthy, completedAt: .now) }
    }

    /// How all components stand, in the order in which they were given.
    var findings: [Finding] {
        let now = MonotonicClock.now
        // A copy, so that no request waits for another's answer to be made.
        return zip(components, checks.withLock { $0 }).map { component, check in
            // One that has been asked for longer than any sound component takes hangs, whatever it said before.
            let hangs = check.begunAt.map { now > $0 + HealthMonitor.patienceNanoseconds } ?? false
            return Finding(name: component.name, isHealthy: check.isHealthy && !hangs, lastCheck: check.completedAt)
        }
    }
}
