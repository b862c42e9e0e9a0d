import Glibc
import LinuxKernel

/// Processes of the host, as `/proc` shows them.
enum ProcessTable {
    /// When a process was born, in ticks since boot: with the pid it names one process for ever (proc(5), field 22).
    static func birth(of pid: Int32) -> Int64? {
        guard pid > 0, let text = try? Files.readString("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: close)...].split(separator: " ")
        return fields.count > 19 ? Int64(fields[19]) : nil
    }

    /// Its resident memory in bytes.
    static func residentBytes(of pid: Int32) -> Int64? {
        guard let text = try? Files.readString("/proc/\(pid)/status") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            return fields.count > 1 ? Int64(fields[1]).map { $0 * 1024 } : nil
        }
        return nil
    }

    /// How long it has lived, in seconds.
    static func age(of pid: Int32) -> Int64? {
        guard let birth = birth(of: pid), let uptime = try? Files.readString("/proc/uptime"),
            let seconds = Double(uptime.prefix { $0 != " " })
        else { return nil }
        return max(0, Int64(seconds) - birth / Int64(sysconf(CInt(_SC_CLK_TCK))))
    }

    /// Ends a process, if it is still the one that was born then. Waits at most five seconds before it kills.
    static func end(pid: Int32, birth expected: Int64, signal: CInt) {
        guard birth(of: pid) == expected, let process = try? ProcessDescriptor(opening: pid),
            birth(of: pid) == expected
        else { return }
        try? process.signal(signal)
        let deadline = MonotonicClock.now + 5_000_000_000
        while !process.hasExited, MonotonicClock.now < deadline { usleep(20_000) }
        try? process.signal(SIGKILL)
    }
}
