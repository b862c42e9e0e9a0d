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
    /// Apart: what a snapshot holds may take seconds to write, and a new sandbox takes milliseconds.
    private let restores = Monitor<[AccountSandbox]>([])
    private let keeper: SandboxKeeper
    private let log: Logger

    init(_ keeper: SandboxKeeper, log: Logger) {
        self.keeper = keeper
        self.log = log
        for number in 0..<SandboxMaker.threads {
            for (name, queue) in [("sandbox-maker", waiting), ("restorer", restores)] {
                WorkerThread.start(name: "\(name)-\(number)") { [self] in
                    while true {
                        guard let sandbox = queue.wait(for: { $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
                        make(sandbox)
                    }
                }
            }
        }
    }

    /// Makes a sandbox soon, or makes it what a snapshot holds.
    func add(_ sandbox: AccountSandbox) {
        (sandbox.restore == nil ? waiting : restores).update { $0.append(sandbox) }
    }

    private func make(_ sandbox: AccountSandbox) {
        do {
            try keeper.make(sandbox)
        } catch {
            log.warning(
                "a sandbox is not made yet", metadata: ["sandbox.id": "\(sandbox.identifier)", "error": "\(error)"])
        }
    }
}
