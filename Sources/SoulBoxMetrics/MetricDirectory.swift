internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// The files in which the processes of an instance count.
///
/// A process holds a lock on its file. One whose lock is free belongs to a process that is gone: its counters are added to
/// the file `retired`, its gauges are forgotten, and it is removed, so that sums never go back. Everybody who reads or
/// changes the directory holds its lock.
public struct MetricDirectory: Sendable {
    private static let retiredName = "retired"
    private static let lockName = ".lock"
    private static let patienceMilliseconds = 2000

    /// Where it is.
    public let path: String

    /// The directory of that path, which exists.
    public init(_ path: String) { self.path = path }

    /// The directory of a run directory.
    public init(run: String) { self.init(run + "/metrics") }

    /// Runs `body` while nobody else reads or changes the directory.
    func withLock<Value>(_ body: () throws(SystemCallError) -> Value) throws(SystemCallError) -> Value {
        let lock = try FileLock.take(
            "\(path)/\(MetricDirectory.lockName)", milliseconds: MetricDirectory.patienceMilliseconds)
        let result = Result { () throws(SystemCallError) in try body() }
        return try withExtendedLifetime(lock.rawValue) { result }.get()
    }

    /// When counting began, in seconds since 1970.
    public var began: Double? {
        guard let status = try? Files.status(path + "/" + MetricDirectory.lockName) else { return nil }
        return Double(status.modified.seconds) + Double(status.modified.nanoseconds) / 1e9
    }

    /// What all processes have counted, those that are gone too.
    public func collect() throws -> MetricTotals {
        try withLock { () throws(SystemCallError) in
            var retired = RetiredMetrics(
                try? Files.readString("\(path)/\(MetricDirectory.retiredName)", maximum: 16 << 20))
            var living = MetricTotals()
            var dead: [String] = []
            for name in try Files.list(path)
            where !name.hasPrefix(".") && name != MetricDirectory.retiredName && !name.hasSuffix(".new") {
                guard let file = try? Files.open("\(path)/\(name)", .readWrite) else { continue }
                let totals = MetricReader.read(file.rawValue)
                if FileLock.attempt(file) == nil {
                    living.add(totals)
                } else {
                    // One that is added already and still here was not removed by a reader that died.
                    if !retired.folded.contains(name) { retired.take(totals, of: name) }
                    dead.append(name)
                }
            }
            if !dead.isEmpty {
                // Together with what they add up to, so that no file is ever added twice.
                retired.folded = Set(dead)
                try Files.writeAtomically(
                    "\(path)/\(MetricDirectory.retiredName)", Array(retired.text.utf8), mode: 0o600)
                for name in dead { try? Files.removeTree("\(path)/\(name)") }
            }
            living.add(retired.totals)
            return living
        }
    }
}
