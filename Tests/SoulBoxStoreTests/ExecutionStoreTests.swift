import LinuxKernel
import SoulBoxModel
import SoulBoxStore
import TestDatabase
import Testing

@Suite("Executions in the database")
struct ExecutionStoreTests {
    @Test("an execution is found from its admission to its end, with everything that it has")
    func life() throws {
        let store = try StoreFixture()
        let process = try store.processes.register(kind: "worker")
        let id = try store.admit(owner: process)
        var record = try #require(try store.executions.find(id, account: store.account))
        #expect(record.status == .queued)
        #expect(record.runtime == .rust)
        #expect(record.limits == StoreFixture.spec.limits)
        #expect(
            record.startedAt == nil && record.completedAt == nil && record.termination == nil && record.compile == nil)
        #expect(try store.database.integer("SELECT count(spec) FROM executions") == 0)

        #expect(try !store.executions.markRunning(id, process: Identifier.makeUUID()))
        #expect(try store.executions.markRunning(id, process: process))
        #expect(try !store.executions.markRunning(id, process: process))
        record = try #require(try store.executions.find(id, account: store.account))
        #expect(record.status == .running)
        #expect(record.startedAt != nil)

        let end = store.finished(id)
        #expect(try store.executions.finish(id, end))
        var expected = end.record
        expected.createdAt = record.createdAt
        expected.artifacts = [
            .init(path: "empty", size: 0, isStored: true), .init(path: "large", size: 11 << 20, isStored: false),
            .init(path: "out/ž.bin", size: 3, isStored: true),
        ]
        #expect(try store.executions.find(id, account: store.account) == expected)
        for artifact in end.artifacts {
            #expect(
                try store.executions.artifact(execution: id, account: store.account, path: artifact.path) == artifact)
        }
        #expect(try store.executions.artifact(execution: id, account: store.account, path: "absent") == nil)
    }

    @Test("an end that has little is found as it is")
    func bare() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: Identifier.makeUUID())
        var record = try #require(try store.executions.find(id, account: store.account))
        record.status = .completed
        record.termination = Termination(reason: .exited)
        record.completedAt = .now
        #expect(try store.executions.finish(id, FinishedExecution(record: record, artifacts: [])))
        #expect(try store.executions.find(id, account: store.account) == record)
    }

    @Test(
        "an end that was noted never changes", arguments: [TerminationReason.exited, .timeout, .cancelled, .oom, .lost])
    func final(reason: TerminationReason) throws {
        let store = try StoreFixture()
        let process = Identifier.makeUUID()
        let id = try store.admit(owner: process)
        var end = store.finished(id, reason)
        end.artifacts = [Artifact(path: "first", size: 1, contents: [1])]
        #expect(try store.executions.finish(id, end))
        let before = try store.executions.find(id, account: store.account)
        #expect(before?.status == reason.status)
        var second = store.finished(id, .signal)
        second.record.exitCode = 1
        #expect(try !store.executions.finish(id, second))
        #expect(try !store.executions.markRunning(id, process: process))
        #expect(try store.executions.requestCancel(id, account: store.account) == .finished(reason.status))
        #expect(try store.executions.sweepLost(at: .now).count == 0)
        #expect(try store.executions.find(id, account: store.account) == before)
        #expect(try store.executions.artifact(execution: id, account: store.account, path: "out/ž.bin") == nil)
    }

    @Test("ends that race are one end, with its own files")
    func race() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: Identifier.makeUUID())
        let done = Monitor<[Int]>([])
        for number in 0..<8 {
            var end = store.finished(id)
            end.record.exitCode = number
            end.artifacts = [Artifact(path: "by-\(number)", size: 1, contents: [UInt8(number)])]
            let executions = store.executions
            WorkerThread.start(name: "test-finish") { [end] in
                let isFirst = (try? executions.finish(id, end)) ?? false
                done.update { $0.append(isFirst ? number : -1) }
            }
        }
        let ends = done.wait(until: MonotonicClock.now + 30_000_000_000) { $0.count == 8 ? $0.filter { $0 >= 0 } : nil }
        let winner = try #require(ends?.first)
        #expect(ends?.count == 1)
        let record = try #require(try store.executions.find(id, account: store.account))
        #expect(record.exitCode == winner)
        #expect(record.artifacts.map(\.path) == ["by-\(winner)"])
    }

    @Test("nothing of it shows to another account, or under an identifier of another shape")
    func isolation() throws {
        let store = try StoreFixture()
        let id = try store.admit(owner: Identifier.makeUUID())
        #expect(try store.executions.requestCancel(id, account: store.stranger) == .notFound)
        #expect(try store.executions.finish(id, store.finished(id)))
        #expect(try store.executions.find(id, account: store.stranger) == nil)
        #expect(try store.executions.artifact(execution: id, account: store.stranger, path: "empty") == nil)
        #expect(try store.executions.requestCancel(id, account: store.stranger) == .notFound)
        for wrong in ["", "exec_", id + "0", id.uppercased(), "exec_'; --", Identifier.make(.execution)] {
            #expect(try store.executions.find(wrong, account: store.account) == nil)
            #expect(try store.executions.requestCancel(wrong, account: store.account) == .notFound)
            #expect(try !store.executions.finish(wrong, store.finished(id)))
        }
    }

    @Test("is cancelled before its start, or told to run in whose hands")
    func cancel() throws {
        let store = try StoreFixture()
        let process = Identifier.makeUUID()
        let waiting = try store.admit(owner: process)
        #expect(try store.executions.requestCancel(waiting, account: store.account) == .cancelledBeforeStart)
        #expect(try !store.executions.markRunning(waiting, process: process))
        #expect(try store.executions.find(waiting, account: store.account)?.termination?.reason == .cancelled)
        #expect(try store.executions.requestCancel(waiting, account: store.account) == .finished(.cancelled))
        let running = try store.admit(owner: process)
        #expect(try store.executions.markRunning(running, process: process))
        #expect(try store.executions.requestCancel(running, account: store.account) == .running(owner: process))
        #expect(try store.executions.find(running, account: store.account)?.status == .running)
    }
}
