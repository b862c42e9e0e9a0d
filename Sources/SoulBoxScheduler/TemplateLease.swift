internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxStore

/// Says every few seconds that a build goes on, from a thread of its own: no step may delay that.
final class TemplateLease: Sendable {
    private static let intervalNanoseconds: UInt64 = 5_000_000_000

    private let state = Monitor((isOver: false, isLost: false))

    init(_ build: TemplateBuild, store: TemplateStore, process: [UInt8], log: Logger) {
        WorkerThread.start(name: "template-lease") { [state] in
            while true {
                let next = MonotonicClock.now + TemplateLease.intervalNanoseconds
                if state.wait(until: next, for: { $0.isOver ? true : nil }) == true { return }
                do {
                    guard try store.extend(build, process: process) else {
                        state.update { $0.isLost = true }
                        return
                    }
                } catch {
                    log.warning("a build's lease was not extended", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Whether the build is not this process's any more.
    var isLost: Bool { state.read { $0.isLost } }

    /// The build is over.
    func end() { state.update { $0.isOver = true } }
}
