internal import LinuxKernel

/// The most that was asked for within a window of time: a peak that fades by half in 30 seconds.
///
/// Counted by halves of the window, so that what comes together is not cut in two.
struct DemandPeak {
    private static let halfLife: UInt64 = 30_000_000_000

    /// Half of the window, in nanoseconds.
    private let half: UInt64
    private var begin: UInt64 = 0
    private var count = 0
    private var countBefore = 0
    private var peak = 0.0
    private var peakAt: UInt64 = 0

    /// - Parameter window: Its length, in nanoseconds.
    init(window: UInt64) { half = window / 2 }

    /// Notes that one was asked for.
    mutating func note(at now: UInt64) {
        let age = MonotonicClock.elapsed(from: begin, to: now)
        if age >= half {
            countBefore = age < 2 * half ? count : 0
            begin = now
            count = 0
        }
        count += 1
        peak = max(value(at: now), Double(countBefore + count))
        peakAt = max(peakAt, now)
    }

    /// What is left of the peak.
    func value(at now: UInt64) -> Double {
        var value = peak
        var age = MonotonicClock.elapsed(from: peakAt, to: now)
        while age >= DemandPeak.halfLife, value > 0.1 {
            value /= 2
            age -= DemandPeak.halfLife
        }
        return value * (1 - 0.5 * Double(min(age, DemandPeak.halfLife)) / Double(DemandPeak.halfLife))
    }
}
