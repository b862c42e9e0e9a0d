internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Keeps the policies as the isolation service tells them, on a thread of its own, for as long as the process lives.
struct IsolatorWatch {
    private static let longestPause: UInt32 = 2_000_000

    let path: String
    let table: PolicyTable
    let namesPort: Int
    let connectionsPort: Int
    let log: Logger

    func start() {
        WorkerThread.start(name: "isolator-watch") {
            var pause: UInt32 = 100_000
            while true {
                let begin = MonotonicClock.now
                do {
                    try follow()
                } catch {
                    log.warning("not connected to the isolation service", metadata: ["error": "\(error)"])
                }
                table.clear()
                if MonotonicClock.now - begin > 10_000_000_000 { pause = 100_000 }
                usleep(pause)
                pause = min(pause * 2, IsolatorWatch.longestPause)
            }
        }
    }

    private func follow() throws {
        let connection = VarlinkConnection(owning: try UnixSocket.connect(to: path, kind: .stream))
        try connection.send([
            "method": "io.soulbox.isolation.WatchEgress", "more": true,
            "parameters": ["dns_port": JSONValue(namesPort), "proxy_port": JSONValue(connectionsPort)],
        ])
        while let message = try connection.receive(wait: true) {
            if let error = message["error"]?.stringValue {
                throw IsolationError(varlinkName: error, parameters: message["parameters"])
            }
            guard let update = message["parameters"].flatMap(EgressUpdate.init(json:)) else {
                throw IsolationError(.protocolViolation, "malformed update")
            }
            table.apply(update)
        }
        throw IsolationError(.unavailable, "the connection ended")
    }
}
