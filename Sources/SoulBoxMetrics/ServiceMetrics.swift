internal import Glibc
internal import LinuxKernel

/// What a process of the service counts.
public final class ServiceMetrics: Sendable {
    /// Connections to the database, of one pool.
    public struct Connections: Sendable {
        /// How many are open.
        public var open: Int
        /// How many of them somebody uses.
        public var used: Int
        /// How many there may be.
        public var limit: Int

        /// Puts them together.
        public init(open: Int, used: Int, limit: Int) {
            self.open = open
            self.used = used
            self.limit = limit
        }
    }

    private static let watchMicroseconds: UInt32 = 1_000_000

    /// Where it counts.
    public let sheet: MetricSheet
    /// The executions whose end it notes.
    public let executions: ExecutionMetrics
    /// The requests that limits refuse.
    public let refusals: RefusalMetrics

    /// Counts on that sheet.
    public init(_ sheet: MetricSheet) {
        self.sheet = sheet
        executions = ExecutionMetrics(sheet)
        refusals = RefusalMetrics(sheet)
    }

    /// Counts in a file of the instance's, under a name that no other process has or had.
    ///
    /// - Parameters:
    ///   - capacity: How many numbers there is room for: 18 for each route, and some 300.
    ///   - failed: Told why the file cannot be used; then this process counts for itself alone.
    public convenience init(
        role: String, directory: MetricDirectory, capacity: Int = 1024, failed: (String) -> Void
    ) {
        let name = "\(role)-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        do {
            self.init(try MetricSheet(in: directory, name: name, capacity: capacity))
        } catch {
            failed("\(error)")
            self.init(.unshared(capacity: capacity))
        }
    }

    /// Looks once a second how many connections a pool has.
    public func watch(role: String, _ connections: @escaping @Sendable () -> Connections) {
        let used = sheet.gauge(.databaseConnections, ["process": role, "state": "used"])
        let idle = sheet.gauge(.databaseConnections, ["process": role, "state": "idle"])
        let limit = sheet.gauge(.databaseLimit, ["process": role])
        WorkerThread.start(name: "metrics") {
            while true {
                let now = connections()
                used.set(now.used)
                idle.set(now.open - now.used)
                limit.set(now.limit)
                usleep(ServiceMetrics.watchMicroseconds)
            }
        }
    }
}
