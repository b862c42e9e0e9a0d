import Logging
import SoulBoxExecution
import SoulBoxModel
import Synchronization
import Testing

@Suite("Execution recorder")
struct ExecutionRecorderTests {
    private struct Outage: Error {}

    private func record(failures: Int, isNew: Bool = true, patience: Int = 15) -> (ExecutionRecorder.Outcome, Int) {
        let calls = Mutex(0)
        let recorder = ExecutionRecorder(
            patienceSeconds: patience, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _, _ in
            let call = calls.withLock {
                $0 += 1; return $0
            }
            if call <= failures { throw Outage() }
            return isNew
        }
        let execution = ExecutionRecord(
            id: "exec_1", status: .completed, runtime: .go, template: "basic-go", limits: .init(), createdAt: .now)
        let outcome = recorder.record(ExecutionResult(record: execution))
        return (outcome, calls.withLock { $0 })
    }

    @Test("notes an end, through an absence of the database too")
    func records() {
        #expect(record(failures: 0) == (.recorded, 1))
        #expect(record(failures: 3) == (.recorded, 4))
        #expect(record(failures: 1, isNew: false) == (.alreadyFinal, 2))
    }

    @Test("gives up when its patience has ended")
    func givesUp() {
        #expect(record(failures: .max, patience: 0) == (.failed, 1))
    }
}
