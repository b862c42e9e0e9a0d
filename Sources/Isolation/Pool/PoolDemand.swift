internal import LinuxKernel

/// How many sandboxes of one kind are asked for, and so how many should stand ready.
///
/// Times are of the monotonic clock, in nanoseconds; threads that note what they saw may do so in another order than they
/// looked at the clock.
struct PoolDemand {
    private static let second: UInt64 = 1_000_000_000

    /// When one was last asked for; 0 for never.
    private(set) var lastTaken: UInt64 = 0
    /// What one second asks for: who stops for a moment and goes on finds twice that.
    private var pace = DemandPeak(window: second)
    /// What comes together, as the work of a class or of a batch: it comes again.
    private var burst = DemandPeak(window: 10 * second)

    /// Notes that one was asked for.
    mutating func note(at now: UInt64) {
        lastTaken = max(lastTaken, now)
        pace.note(at: now)
        burst.note(at: now)
    }

    /// How many should stand ready: twice the most that were taken within a second, or the most within ten.
    func target(at now: UInt64) -> Int { Int(max(2 * pace.value(at: now), burst.value(at: now)).rounded()) }
}
