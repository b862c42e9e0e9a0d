import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

/// What a thousand executions leave: nothing.
@Suite("Counts after many executions", .serialized, .enabled(if: Host.canIsolate))
struct CountTests {
    @Test("1,000 executions leave the same counts as before")
    func counts() async throws {
        let isolator = TestIsolator.plain
        #expect(isolator.waitUntilClean())
        let before = HostCounts.now(of: isolator)
        let failures = Monitor(0)
        let each = Host.repetitions(1000) / 8
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await Task.detached {
                        for number in 0..<each {
                            let run = try? Run.python("print(\(number))", on: isolator)
                            if run?.output != "\(number)\n" { failures.update { $0 += 1 } }
                        }
                    }.value
                }
            }
        }
        #expect(failures.read { $0 } == 0)
        #expect(isolator.waitUntilClean())
        usleep(300_000)
        let after = HostCounts.now(of: isolator)
        #expect(after.groups == before.groups && after.mounts == before.mounts && after.processes <= before.processes)
        #expect(abs(after.descriptors - before.descriptors) <= 4, "\(before) \(after)")
        #expect(after.residentKibibytes < before.residentKibibytes + 8192, "\(before) \(after)")
    }
}
