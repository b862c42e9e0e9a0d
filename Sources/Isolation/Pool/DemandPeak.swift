internal import LinuxKernel

/// The most that was asked for within a window of time: a peak that fades by half in 30 seconds.
struct DemandPeak {
    private static let halfLife: UInt64 = 30_000_000_000

    /// The length of a window, in nanoseconds.
    let window: UInt64
    private var begin: UInt64 = 0
    private var count = 0
    private var peak = 0.0
    private var peakAt: UInt64 = 0

    init(window: UInt64) { self.window = window }

    /// Notes that one was asked for.
    mutating func note(at now: UInt64) {
        if MonotonicClock.elapsed(from: begin, to: now) >= window {
            begin = now
            count = 0
        }
        count += 1
        peak = max(value(at: now), Double(count))
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
