import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Synchronization

/// An isolation service without isolation: each execution is a script of the test.
final class FakeIsolator: Sendable {
    /// One execution as the script sees it.
    struct Stage {
        let call: ExecuteCall
        let descriptors: [SharedDescriptor]
        let connection: VarlinkConnection
        let isolator: FakeIsolator

        func send(_ event: ExecutionEvent) {
            let (message, descriptors) = event.reply
            try? connection.send(message, descriptors: descriptors)
        }

        func print(_ text: String) { write(call.stdout, Array(text.utf8)) }

        func write(_ descriptor: CInt, _ bytes: [UInt8]) {
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
                }
                guard count > 0 else { return }
                written += count
            }
        }

        func finish(_ reason: TerminationReason = .exited, exitCode: Int? = 0) {
            send(
                .finished(
                    ExecutionOutcome(
                        termination: Termination(reason: reason), exitCode: exitCode, wallTimeMicroseconds: 1000,
                        cpuTimeMicroseconds: 500, memoryPeakBytes: 4096, queueTimeMicroseconds: 10)))
        }

        /// Waits for `Terminate`; nil after five seconds.
        func awaitTermination() -> TerminationReason? {
            for _ in 0..<1000 {
                if let reason = isolator.terminations.withLock({ $0[call.execution] }) { return reason }
                usleep(5000)
            }
            return nil
        }
    }

    let path = "/tmp/soulbox-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
    let terminations = Mutex<[String: TerminationReason]>([:])
    let connectionCount = Mutex(0)
    private let isStopped = Mutex(false)
    private let script: @Sendable (Stage) -> Void

    init(_ script: @escaping @Sendable (Stage) -> Void) throws {
        self.script = script
        let listener = SharedDescriptor(try UnixSocket.listen(at: path, kind: .stream, mode: 0o600, backlog: 16))
        WorkerThread.start(name: "isolator") { [self] in
            while true {
                var entries = [PollEntry(descriptor: listener.rawValue, events: .input)]
                let isReady = (try? Poll.wait(&entries, timeout: 50)) == 1
                if isStopped.withLock({ $0 }) { return }
                guard isReady else { continue }
                let raw = accept(listener.rawValue, nil, nil)
                guard raw >= 0 else { return }
                connectionCount.withLock { $0 += 1 }
                WorkerThread.start(name: "connection") { [self] in serve(raw) }
            }
        }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        unlink(path)
    }

    private func serve(_ raw: CInt) {
        let connection = VarlinkConnection(owning: Descriptor(owning: raw))
        while let message = try? connection.receive(wait: true) {
            let parameters = message["parameters"]
            switch message["method"]?.stringValue {
            case "io.soulbox.isolation.Execute":
                guard let execute = try? ExecuteParameters(parameters, from: connection) else { return }
                script(
                    Stage(
                        call: execute.call, descriptors: execute.descriptors, connection: connection, isolator: self))
            case "io.soulbox.isolation.Terminate":
                let id = parameters?["execution"]?.stringValue ?? ""
                let reason = parameters?["reason"]?.stringValue.flatMap(TerminationReason.init(rawValue:))
                terminations.withLock { $0[id] = reason }
                try? connection.send(["parameters": ["terminated": true]])
            default: return
            }
        }
    }
}
