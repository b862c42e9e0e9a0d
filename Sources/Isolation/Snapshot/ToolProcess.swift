internal import Glibc
internal import LinuxKernel

/// A tool that runs for a moment and says something.
struct ToolProcess {
    /// Its path and its arguments.
    let command: [String]

    /// Runs it and gives what it wrote; one that fails or takes longer is an error.
    func output(seconds: UInt64) throws(SystemCallError) -> String {
        let pipe = try Pipe.make()
        let started = try Spawn(
            path: command[0], arguments: Array(command.dropFirst()),
            environment: [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8")],
            log: pipe.second.rawValue
        ).start()
        let process = started.takeProcess()
        let reader = pipe.closeSecond()
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        var bytes: [UInt8] = []
        while true {
            let now = MonotonicClock.now
            var entries = [PollEntry(descriptor: reader.rawValue, events: .input)]
            guard now < deadline, try Poll.wait(&entries, timeout: CInt((deadline - now) / 1_000_000) + 1) > 0 else {
                try? process.signal(SIGKILL)
                _ = try process.waitForExit()
                throw SystemCallError(call: "waitid", errno: ETIMEDOUT)
            }
            let piece = try Files.read(from: reader.rawValue, count: 64 << 10)
            if piece.isEmpty { break }
            if bytes.count < 1 << 20 { bytes += piece }
        }
        guard case .exited(0) = try process.waitForExit() else {
            throw SystemCallError(call: "exit", errno: EIO)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
