internal import LinuxKernel

/// A child process that several owners refer to, by pidfd and never by pid.
final class SharedProcess: Sendable {
    private let process: ProcessDescriptor

    init(_ process: consuming ProcessDescriptor) { self.process = process }

    /// What to poll for the exit.
    var pollDescriptor: CInt { process.rawValue }

    /// Whether it has ended.
    var hasExited: Bool { process.hasExited }

    /// Sends a signal; one that has ended already is no error.
    func signal(_ number: CInt) { try? process.signal(number) }

    /// Waits for the exit until that moment of the monotonic clock and collects it, once only; false when it did not come.
    func reap(until deadline: UInt64) -> Bool {
        while true {
            let now = MonotonicClock.now
            var entries = [PollEntry(descriptor: process.rawValue, events: .input)]
            let left = deadline > now ? CInt(min((deadline - now) / 1_000_000 + 1, 1000)) : 0
            if let found = try? Poll.wait(&entries, timeout: left), found > 0 {
                _ = try? process.waitForExit()
                return true
            }
            if MonotonicClock.now >= deadline { return false }
        }
    }
}
