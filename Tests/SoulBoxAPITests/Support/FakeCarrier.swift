import SoulBoxAPI
import SoulBoxExecution
import SoulBoxModel
import Synchronization

/// Carries executions out by a closure instead of a sandbox.
final class FakeCarrier: ExecutionCarrier {
    typealias Run = @Sendable (ExecutionRequest, () -> Bool) -> ExecutionResult

    let run: Run
    let terminated = Mutex<[String]>([])
    let onTerminate: @Sendable (String) -> Bool

    init(
        _ run: @escaping Run = FakeCarrier.hello, onTerminate: @escaping @Sendable (String) -> Bool = { _ in false }
    ) {
        self.run = run
        self.onTerminate = onTerminate
    }

    func run(_ request: ExecutionRequest, started: () -> Bool) -> ExecutionResult { run(request, started) }

    func terminate(execution: String, account: String) throws -> Bool {
        terminated.withLock { $0.append("\(account) \(execution)") }
        return onTerminate(execution)
    }

    /// A program that printed `Hello, World!` and made one file.
    @Sendable static func hello(_ request: ExecutionRequest, _ started: () -> Bool) -> ExecutionResult {
        var record = ExecutionRecord(
            id: request.id, status: .completed, runtime: request.spec.runtime, template: request.spec.template,
            limits: request.spec.limits, createdAt: request.createdAt)
        record.stdout.bytes = Array("Hello, World!\n".utf8)
        record.termination = Termination(reason: .exited)
        record.exitCode = 0
        record.wallTimeMicroseconds = 125_000
        record.cpuTimeMicroseconds = 20_000
        record.memoryPeakBytes = 12_345_678
        record.queueTimeMicroseconds = 0
        record.artifacts = [.init(path: "out/output.txt", size: 3, isStored: true)]
        record.startedAt = request.createdAt
        record.completedAt = request.createdAt
        return ExecutionResult(
            record: record, artifacts: [Artifact(path: "out/output.txt", size: 3, contents: [1, 2, 3])])
    }
}
