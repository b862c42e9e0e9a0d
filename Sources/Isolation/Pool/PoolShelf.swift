internal import LinuxKernel

/// The ready sandboxes of one kind, and how many there should be.
///
/// How many follows demand: twice the most that were taken within a second, a peak that fades by half in 30 seconds; never
/// below the minimum that the operator set. Times are of the monotonic clock, in nanoseconds.
struct PoolShelf {
    private static let second: UInt64 = 1_000_000_000
    private static let halfLife: UInt64 = 30 * second

    /// What to make them from.
    let image: Image
    /// The fewest, whatever is asked for.
    var minimum: Int
    /// Those that stand ready, the one made last at the end.
    var ready: [ReadySandbox] = []
    /// How many are being made.
    var building = 0
    /// What one takes of the host's memory, in bytes, as measured; an estimate before the first stands.
    var bytesEach: UInt64 = 8 << 20
    /// When one was last asked for; 0 for never.
    private(set) var lastTaken: UInt64 = 0
    /// Nothing is made before this, after a failure.
    private(set) var retryAt: UInt64 = 0
    private var failures = 0
    private var bucketStart: UInt64 = 0
    private var bucket = 0
    private var peak = 0.0
    private var peakAt: UInt64 = 0

    init(image: Image, minimum: Int) {
        self.image = image
        self.minimum = minimum
    }

    /// How many are there or will be.
    var count: Int { ready.count + building }

    /// Notes that one was asked for.
    mutating func noteDemand(at now: UInt64) {
        lastTaken = now
        if now - bucketStart >= PoolShelf.second {
            bucketStart = now
            bucket = 0
        }
        bucket += 1
        let faded = peak(at: now)
        peak = max(faded, Double(bucket))
        peakAt = now
    }

    private func peak(at now: UInt64) -> Double {
        var value = peak
        var age = now - peakAt
        while age >= PoolShelf.halfLife, value > 0.1 {
            value /= 2
            age -= PoolShelf.halfLife
        }
        return value * (1 - 0.5 * Double(min(age, PoolShelf.halfLife)) / Double(PoolShelf.halfLife))
    }

    /// How many there should be.
    func target(at now: UInt64) -> Int { max(minimum, Int((2 * peak(at: now)).rounded())) }

    /// Notes how making one went: after a failure the next attempt waits, longer each time.
    mutating func noteBuilt(_ isBuilt: Bool, at now: UInt64) {
        building -= 1
        guard isBuilt else { return noteFailure(at: now) }
        failures = 0
        retryAt = 0
    }

    /// Has the next attempt wait.
    mutating func noteFailure(at now: UInt64) {
        failures = min(failures + 1, 6)
        retryAt = now + PoolShelf.second << UInt64(failures)
    }
}
