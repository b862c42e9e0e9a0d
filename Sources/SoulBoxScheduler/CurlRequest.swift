internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// One POST, made by curl(1) to an address that was chosen before.
///
/// What the request consists of goes to it through a file in memory, not by arguments, which every user of the machine
/// could read. It connects to that address whatever it makes of the URL, and asks neither a resolver nor a proxy.
struct CurlRequest {
    /// What came of it.
    struct Outcome: Equatable {
        /// The status that was answered; nil when none was.
        var status: Int?
        /// How curl ended (its manual, "EXIT CODES").
        var code: Int

        /// Whether the request was taken: the status counts, however long a body then takes.
        var isTaken: Bool { (200..<300).contains(status ?? 0) && [0, 28, 63].contains(code) }

        /// Whether nothing was sent, because there was no connection.
        var isUnconnected: Bool { status == nil && [7, 28].contains(code) }

        /// Why it was not taken, for an operator.
        var problem: String {
            switch (status, code) {
            case (let status?, 0) where (300..<400).contains(status): "answered \(status): redirects are not followed"
            case (let status?, 0): "answered \(status)"
            case (_, 7): "nobody takes connections there"
            case (_, 28): "no answer within \(CurlRequest.seconds) seconds"
            case (_, 51), (_, 60): "its certificate is not good for that name"
            case (_, 35): "TLS failed"
            case (_, 52), (_, 55), (_, 56): "the connection broke"
            default: "the request failed (curl \(code))"
            }
        }
    }

    private static let program = "/usr/bin/curl"
    /// How long a request may take in all.
    static let seconds = 5
    /// Bytes a second that are read of an answer, and the most of one that says how long it is.
    private static let rate = 256 << 10
    private static let longestAnswer = 64 << 10

    let url: WebhookURL
    let address: [UInt8]
    let headers: [(name: String, value: String)]
    let body: String

    /// Sends it. Ends a second after its time at the latest.
    func send() throws(SystemCallError) -> Outcome {
        let input = try SealedFile.make(name: "webhook", contents: Array(configuration.utf8))
        let output = try Pipe.make()
        // First of all -q: no file of anybody's adds to this.
        let spawn = Spawn(
            path: CurlRequest.program, arguments: ["-q", "--config", "-"], input: input.rawValue,
            log: output.second.rawValue, parentDeathSignal: SIGKILL)
        let process = try withExtendedLifetime(input) { () throws(SystemCallError) in try spawn.start() }.takeProcess()
        let reader = output.closeSecond()
        let deadline = MonotonicClock.now + UInt64(CurlRequest.seconds + 1) * 1_000_000_000
        var text: [UInt8] = []
        while text.count < 4096 {
            let now = MonotonicClock.now
            var entries = [PollEntry(descriptor: reader.rawValue, events: .input)]
            _ = try? Poll.wait(&entries, timeout: deadline > now ? CInt((deadline - now) / 1_000_000) : 0)
            guard !entries[0].returned.isEmpty, let chunk = try? Files.read(from: reader.rawValue, count: 4096),
                !chunk.isEmpty
            else { break }
            text += chunk
        }
        if MonotonicClock.now >= deadline { try? process.signal(SIGKILL) }
        guard case .exited(let code) = try process.waitForExit() else { return Outcome(status: nil, code: 28) }
        let status = Int(String(decoding: text, as: UTF8.self).split(separator: " ").first ?? "")
        return Outcome(status: status == 0 ? nil : status, code: Int(code))
    }

    /// What curl reads: `option = "value"` a line (its manual, `--config`).
    var configuration: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        let place = "::" + WebhookURL.text(of: address) + ":\(url.port)"
        let options: [(String, String)] =
            [
                ("url", url.description), ("connect-to", place), ("request", "POST"), ("data-raw", body),
                ("proto", "=http,https"), ("noproxy", "*"), ("max-redirs", "0"), ("output", "/dev/null"),
                ("max-time", "\(CurlRequest.seconds)"), ("limit-rate", "\(CurlRequest.rate)"),
                ("max-filesize", "\(CurlRequest.longestAnswer)"), ("write-out", "%{http_code} "),
            ] + (headers + [("Expect", ""), ("Accept", "")]).map { ("header", "\($0.name): \($0.value)") }
        return
            (["silent", "globoff", "path-as-is", "http1.1", "tlsv1.2"]
            + options.map { "\($0.0) = \(quoted($0.1))" }).joined(separator: "\n") + "\n"
    }
}
