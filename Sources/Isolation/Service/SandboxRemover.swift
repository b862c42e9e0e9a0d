internal import LinuxKernel
internal import Logging

/// Removes used sandboxes on threads of its own, so that no caller waits for it.
final class SandboxRemover: Sendable {
    private struct Job: Sendable {
        let sandbox: Sandbox
        let done: @Sendable () -> Void
    }

    private let jobs = Monitor<[Job]>([])

    init(log: Logger) {
        for number in 0..<2 {
            WorkerThread.start(name: "remover-\(number)") { [jobs] in
                while true {
                    let job = jobs.wait(for: { $0.isEmpty ? nil : $0.removeFirst() })
                    guard let job else { continue }
                    if !job.sandbox.remove() {
                        log.critical(
                            "a sandbox could not be removed; its ids stay out of use",
                            metadata: ["sandbox.id": "\(job.sandbox.spec.id)", "slot": "\(job.sandbox.slot.index)"])
                    }
                    job.done()
                }
            }
        }
    }

    /// Removes a sandbox soon, then calls `done`.
    func remove(_ sandbox: Sandbox, done: @escaping @Sendable () -> Void) {
        jobs.update { $0.append(Job(sandbox: sandbox, done: done)) }
    }
}
