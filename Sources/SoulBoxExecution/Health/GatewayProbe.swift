internal import LinuxKernel

/// Asks the gateway whether it answers, as its clients' web server would.
enum GatewayProbe {
    private static let request = "GET /ws/health HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
    private static let answer = "HTTP/1.1 200 "

    /// Throws when no gateway behind the socket answers within that time.
    static func check(_ path: String, milliseconds: UInt64) throws {
        let deadline = MonotonicClock.now + milliseconds * 1_000_000
        let socket = SharedDescriptor(try UnixSocket.connect(to: path, kind: .stream))
        try withExtendedLifetime(socket) {
            try Files.write(to: socket.rawValue, Array(request.utf8))
            var received: [UInt8] = []
            while received.count < answer.utf8.count {
                let now = MonotonicClock.now
                guard now < deadline else { throw HealthProblem("no gateway answers") }
                var entries = [PollEntry(descriptor: socket.rawValue, events: .input)]
                guard try Poll.wait(&entries, timeout: CInt((deadline - now) / 1_000_000) + 1) > 0 else { continue }
                let more = try Files.read(from: socket.rawValue, count: answer.utf8.count - received.count)
                guard !more.isEmpty else { throw HealthProblem("no gateway answers") }
                received += more
            }
            guard received == Array(answer.utf8) else { throw HealthProblem("the gateway answers with an error") }
        }
    }
}
