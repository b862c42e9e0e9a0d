internal import LinuxKernel

/// The ready sandboxes of one kind, and how many there should be: what demand says, and never less than the minimum that
/// the operator set. Times are of the monotonic clock, in nanoseconds.
struct PoolShelf {
    /// What to make them from.
    let image: Image
    /// The fewest, whatever is asked for.
    var minimum = 0
    /// The fewest while it is a kind that somebody asks for, and the most.
    private let bounds: ClosedRange<Int>
    /// Those that stand ready, the one made last at the end.
    var ready: [ReadySandbox] = []
    /// How many are being made.
    var building = 0
    /// What one takes of the host's memory, in bytes, as measured; an estimate before the first stands.
    var bytesEach: UInt64 = 8 << 20
    /// How many are asked for.
    var demand = PoolDemand()
    /// Nothing is made before this, after a failure.
    private(set) var retryAt: UInt64 = 0
    private var failures = 0

    /// How long a kind that nobody asks for is kept, in nanoseconds.
    static let forgetAfter: UInt64 = 600_000_000_000

    init(image: Image, whileAskedFor fewest: Int = 0, maximum: Int = .max) {
        self.image = image
        bounds = min(fewest, maximum)...maximum
    }

    /// How many are there or will be.
    var count: Int { ready.count + building }

    /// How many there should be.
    func target(at now: UInt64) -> Int {
        let isAskedFor = MonotonicClock.elapsed(from: demand.lastTaken, to: now) < PoolShelf.forgetAfter
        let fewest = max(minimum, isAskedFor && demand.lastTaken > 0 ? bounds.lowerBound : 0)
        return min(bounds.upperBound, max(fewest, demand.target(at: now)))
    }

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
        retryAt = now + 1_000_000_000 << UInt64(failures)
    }
}
