internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// Asks the isolation service to let addresses through, from threads that may wait for it.
final class AdmissionDesk: Sendable {
    private static let threads = 2
    private static let waitingLimit = 4096

    private struct Job: Sendable {
        let admission: AddressAdmission
        let done: CheckedContinuation<Bool, Never>
    }

    private let path: String
    private let jobs = Monitor<[Job]>([])

    init(path: String) {
        self.path = path
        for number in 0..<AdmissionDesk.threads {
            WorkerThread.start(name: "admission-\(number)") { [self] in serve() }
        }
    }

    /// Whether the addresses may be reached now.
    func admit(_ admission: AddressAdmission) async -> Bool {
        await withCheckedContinuation { continuation in
            let isTaken = jobs.update { jobs in
                guard jobs.count < AdmissionDesk.waitingLimit else { return false }
                jobs.append(Job(admission: admission, done: continuation))
                return true
            }
            if !isTaken { continuation.resume(returning: false) }
        }
    }

    private func serve() {
        var connection: VarlinkConnection?
        while true {
            guard let job = jobs.wait(for: { $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
            var isAdmitted: Bool?
            // The service may have been restarted since the last call.
            for _ in 0..<2 where isAdmitted == nil {
                do {
                    let open = try connection ?? VarlinkConnection(owning: UnixSocket.connect(to: path, kind: .stream))
                    connection = open
                    try open.send([
                        "method": "io.soulbox.isolation.AdmitAddresses", "parameters": job.admission.json,
                    ])
                    guard let reply = try open.receive(wait: true) else {
                        throw IsolationError(.unavailable, "the connection ended")
                    }
                    isAdmitted = reply["error"] == nil
                } catch {
                    connection = nil
                }
            }
            job.done.resume(returning: isAdmitted ?? false)
        }
    }
}
