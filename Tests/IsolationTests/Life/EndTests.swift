import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Ends that come at the worst moment hit what they are meant for and nothing else.
@Suite("Ends", .enabled(if: Host.canIsolate), .serialized)
struct EndTests {
    @Test("50: short executions that are ended while they end hit nobody else")
    func race() async throws {
        let isolator = TestIsolator.shared
        // Processes of other owners among whose pids the executions' lie: a signal to a number would find one of them.
        let canaries = Monitor<[TestProcess]>([])
        let count = Host.repetitions(2000)
        let unexpected = Monitor<[String]>([])
        let ended = Monitor(0)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    await Task.detached {
                        for number in 0..<(count / 8) {
                            if number % 20 == 0,
                                let canary = try? TestProcess("/bin/sleep", ["600"])
                            {
                                canaries.update { $0.append(canary) }
                            }
                            let delay = UInt32((number * 7919 + worker * 104_729) % 60) * 1000
                            let reason = EndTests.runAndEnd(on: isolator, after: delay)
                            if reason == .cancelled { ended.update { $0 += 1 } }
                            if reason != .exited && reason != .cancelled {
                                unexpected.update { $0.append("\(String(describing: reason))") }
                            }
                        }
                    }.value
                }
            }
        }
        #expect(unexpected.read { $0 }.isEmpty)
        #expect(ended.read { $0 } > 0, "some ends must have come in time")
        let watched = canaries.read { $0 }
        #expect(!watched.contains { !$0.isRunning })
        for canary in watched { canary.signal(SIGKILL) }
        #expect(isolator.waitUntilClean())
    }

    /// One short program that somebody ends so many microseconds after it was asked for.
    private static func runAndEnd(on isolator: TestIsolator, after delay: UInt32) -> TerminationReason? {
        var request = Run.Request("import time\ntime.sleep(0.01)")
        let identifier = Identifier.make(.execution)
        request.identifier = identifier
        return try? Run.run(request, on: isolator) { _ in
            WorkerThread.start(name: "ender") {
                usleep(delay)
                let other = try? IsolationConnection(path: isolator.socket)
                _ = try? other?.terminate(execution: identifier, account: "acct_test", reason: .cancelled)
            }
        }.reason
    }
}
