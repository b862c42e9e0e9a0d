internal import Glibc
internal import LinuxKernel
public import SoulBoxModel
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
        /// What is said of it when it is not well and does not say why itself.
        public let failure: String
        /// What there is to say of it. Throws when the component is not well, a ``HealthProblem`` to say why; should give up
        /// within 500 ms.
        public let check: @Sendable () throws -> JSONObject

        /// Makes a component of which there is nothing to say but that it is well.
        public init(
            name: String, failure: String = "does not answer", check: @escaping @Sendable () throws -> Void
        ) {
            self.init(name, failure) {
                try check()
                return JSONObject()
            }
        }

        /// Makes a component with details.
        public static func reporting(
            name: String, failure: String = "does not answer", details: @escaping @Sendable () throws -> JSONObject
        ) -> Component { Component(name, failure, details) }

        private init(_ name: String, _ failure: String, _ check: @escaping @Sendable () throws -> JSONObject) {
            self.name = name
            self.failure = failure
            self.check = check
        }
    }

    /// How a component stands.
    public struct Finding: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// Whether it is well.
        public let isHealthy: Bool
        /// When it was asked last.
        public let lastCheck: Timestamp
        /// How long that took, in microseconds.
        public let microseconds: Int64
        /// Why it is not well.
        public let message: String?
        /// What there is to say of it.
        public let details: JSONObject
    }

    private struct Check {
        var problem: String? = "was not asked yet"
        var details = JSONObject()
        var completedAt: Timestamp
        var microseconds: Int64 = 0
        var begunAt: UInt64?
    }

    private static let pauseMicroseconds: UInt32 = 1_000_000
    /// One that is not well is asked more often: its return is waited for.
    private static let troubledMicroseconds: UInt32 = 250_000
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
                    usleep(check(index) ? HealthMonitor.pauseMicroseconds : HealthMonitor.troubledMicroseconds)
                }
            }
        }
    }

    /// Asks one component. Returns whether it is well.
    @discardableResult
    public func check(_ index: Int) -> Bool {
        let begin = MonotonicClock.now
        checks.withLock { $0[index].begunAt = begin }
        var check = Check(problem: nil, completedAt: .now)
        do {
            check.details = try components[index].check()
        } catch {
            check.problem = (error as? HealthProblem)?.message ?? components[index].failure
        }
        check.completedAt = .now
        check.microseconds = Int64((MonotonicClock.now - begin) / 1000)
        checks.withLock { [check] in $0[index] = check }
        return check.problem == nil
    }

    /// How all components stand, in the order in which they were given.
    public var findings: [Finding] {
        let now = MonotonicClock.now
        // A copy, so that no request waits for another's answer to be made.
        return zip(components, checks.withLock { $0 }).map { component, check in
            // One that has been asked for longer than any sound component takes hangs, whatever it said before.
            let hangs = check.begunAt.map { now > $0 + HealthMonitor.patienceNanoseconds } ?? false
            let problem = hangs ? "has not answered for two seconds" : check.problem
            return Finding(
                name: component.name, isHealthy: problem == nil, lastCheck: check.completedAt,
                microseconds: check.microseconds, message: problem,
                details: problem == nil ? check.details : JSONObject())
        }
    }
}
