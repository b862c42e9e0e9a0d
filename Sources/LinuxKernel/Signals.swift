internal import Glibc

/// Signals as a multi-threaded program meets them: blocked everywhere, awaited in one place.
public enum Signals {
    /// Blocks every signal in the calling thread and in the threads that it makes.
    public static func blockAll() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, nil)
    }

    /// Waits for one of these, blocked, signals (sigwait(3)).
    public static func wait(for signals: [CInt]) -> CInt {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        var received: CInt = 0
        while sigwait(&set, &received) != 0 {}
        return received
    }

    /// Waits at most that many milliseconds for one of these, blocked, signals (sigtimedwait(2)); 0 when none came.
    public static func wait(for signals: [CInt], milliseconds: Int) -> CInt {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        return max(0, sigtimedwait(&set, nil, &time))
    }
}
