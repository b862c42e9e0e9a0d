internal import LinuxKernel

/// How many sandboxes of one kind are asked for, and so how many should stand ready.
///
/// Twice the most that were taken within a second: a peak that fades by half in 30 seconds. Times are of the monotonic
/// clock, in nanoseconds; threads that note what they saw may do so in another order than they looked at the clock.
struct PoolDemand {
    private static let second: UInt64 = 1_000_000_000
    private static let halfLife: UInt64 = 30 * second

    /// When one was last asked for; 0 for never.
    private(set) var lastTaken: UInt64 = 0
    private var bucketStart: UInt64 = 0
    private var bucket = 0
    private var peak = 0.0
    private var peakAt: UInt64 = 0

    /// Notes that one was asked for.
    mutating func note(at now: UInt64) {
        lastTaken = max(lastTaken, now)
        if MonotonicClock.elapsed(from: bucketStart, to: now) >= PoolDemand.second {
            bucketStart = now
            bucket = 0
        }
        bucket += 1
        peak = max(peak(at: now), Double(bucket))
        peakAt = max(peakAt, now)
    }

    /// How many should stand ready.
    func target(at now: UInt64) -> Int { Int((2 * peak(at: now)).rounded()) }

    private func peak(at now: UInt64) -> Double {
        var value = peak
        var age = MonotonicClock.elapsed(from: peakAt, to: now)
        while age >= PoolDemand.halfLife, value > 0.1 {
            value /= 2
            age -= PoolDemand.halfLife
        }
        return value * (1 - 0.5 * Double(min(age, PoolDemand.halfLife)) / Double(PoolDemand.halfLife))
    }
}
