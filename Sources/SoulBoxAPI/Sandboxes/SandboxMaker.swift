internal import LinuxKernel
internal import Logging
internal import SoulBoxExecution
internal import SoulBoxStore

/// Makes sandboxes after their callers have been answered.
///
/// A process that ends before it has made one leaves it to the scheduler's sweep.
final class SandboxMaker: Sendable {
    private static let threads = 2

    private let waiting = Monitor<[AccountSandbox]>([])
    private let keeper: SandboxKeeper
    private let log: Logger

    init(_ keeper: SandboxKeeper, log: Logger) {
        self.keeper = keeper
        self.log = log
        for number in 0..<SandboxMaker.threads {
            WorkerThread.start(name: "sandbox-maker-\(number)") { [self] in
                while true {
                    guard let sandbox = waiting.wait(for: { $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
                    make(sandbox)
                }
            }
        }
    }

    /// Makes a sandbox soon.
    func add(_ sandbox: AccountSandbox) { waiting.update { $0.append(sandbox) } }

    private func make(_ sandbox: AccountSandbox) {
        do {
            try keeper.make(sandbox)
        } catch {
            log.warning(
                "a sandbox is not made yet", metadata: ["sandbox.id": "\(sandbox.identifier)", "error": "\(error)"])
        }
    }
}
