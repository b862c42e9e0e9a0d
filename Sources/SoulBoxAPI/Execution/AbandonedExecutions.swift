internal import Glibc
internal import LinuxKernel
internal import Logging

/// Executions whose admission may have been noted without anybody learning of it, until they are taken back.
///
/// A connection that breaks after COMMIT was sent leaves a row that belongs to a living process and is run by nobody. It is
/// taken back as soon as the database answers, before its client can ask for long what became of it.
final class AbandonedExecutions: Sendable {
    private static let pauseMicroseconds: UInt32 = 200_000

    private let repository: any ExecutionRepository
    private let process: [UInt8]
    private let log: Logger
    private let waiting = Monitor<(ids: [String], hasThread: Bool)>(([], false))

    init(_ repository: any ExecutionRepository, process: [UInt8], log: Logger) {
        self.repository = repository
        self.process = process
        self.log = log
    }

    /// Takes an execution back, now or when the database is there again; the caller does not wait.
    func add(_ id: String) {
        let needsThread = waiting.update { state in
            state.ids.append(id)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        if needsThread { WorkerThread.start(name: "abandoned") { [self] in serve() } }
    }

    /// Takes back what waits; the thread ends when nothing does.
    private func serve() {
        while let id = waiting.update({ state -> String? in
            state.hasThread = !state.ids.isEmpty
            return state.ids.first
        }) {
            do {
                try repository.abandon(id, process: process)
                waiting.update { state in state.ids.removeAll { $0 == id } }
            } catch {
                usleep(AbandonedExecutions.pauseMicroseconds)
            }
        }
    }
}
