internal import Glibc
internal import LinuxKernel
public import Logging
public import SoulBoxStore

/// Adds up what executions have used, every few seconds, and keeps the partitions of the sums.
///
/// It may end at any moment: each step is one transaction. Several may run; one at a time does the work.
public final class UsageRollUp: Sendable {
    /// How long one of its statements may take: moving months of sums into partitions that were made too late is long.
    public static let statementMilliseconds = 120_000

    private static let pauseMicroseconds: UInt32 = 5_000_000
    private static let keepNanoseconds: UInt64 = 3_600_000_000_000
    private static let retryNanoseconds: UInt64 = 60_000_000_000
    /// Rows of one transaction: about half a second of the server's time.
    private static let most = 20_000

    private let store: UsageStore
    private let retentionMonths: Int
    private let log: Logger

    /// Keeps the sums that many months.
    public init(store: UsageStore, retentionMonths: Int, log: Logger) {
        self.store = store
        self.retentionMonths = retentionMonths
        self.log = log
    }

    /// Starts its thread.
    public func start() { WorkerThread.start(name: "usage") { [self] in run() } }

    private func run() {
        var nextKeeping = MonotonicClock.now
        while true {
            if MonotonicClock.now >= nextKeeping {
                nextKeeping =
                    MonotonicClock.now + (keepPartitions() ? UsageRollUp.keepNanoseconds : UsageRollUp.retryNanoseconds)
            }
            do {
                while try store.rollUp(most: UsageRollUp.most) == UsageRollUp.most {}
            } catch {
                log.warning("usage not added up", metadata: ["error": "\(error)"])
            }
            usleep(UsageRollUp.pauseMicroseconds)
        }
    }

    /// Without partitions everything goes into the default ones, until another attempt moves it.
    private func keepPartitions() -> Bool {
        do {
            let dropped = try store.keepPartitions(months: retentionMonths)
            if dropped > 0 { log.info("old sums of usage dropped", metadata: ["partitions": "\(dropped)"]) }
            return true
        } catch {
            log.warning("partitions of usage not kept", metadata: ["error": "\(error)"])
            return false
        }
    }
}
