internal import Glibc

/// The clock for deadlines: nobody can set it (CLOCK_MONOTONIC).
public enum MonotonicClock {
    /// Nanoseconds since some moment in the past.
    public static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Nanoseconds from one moment to another; 0 when the other came first, as when two threads looked at the clock and the
    /// one that looked first was the later to write down what it saw.
    public static func elapsed(from earlier: UInt64, to later: UInt64) -> UInt64 {
        later > earlier ? later - earlier : 0
    }
}

/// The system's clock (CLOCK_REALTIME).
public enum SystemClock {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public static var microseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// The clock that stamps files (clock_gettime(2), CLOCK_REALTIME_COARSE).
public enum CoarseClock {
    /// The present moment.
    public static var now: FileStatus.Moment {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return FileStatus.Moment(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }
}
