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
}
