import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

/// Row 54 of the attack table: a process that SIGKILL does not reach.
@Suite("Stuck processes", .enabled(if: Host.canIsolate), .serialized)
struct StuckTests {
    /// A cgroup of the v1 freezer: what is frozen there is as deaf as in an uninterruptible sleep.
    private static let freezer = "/sys/fs/cgroup/freezer"

    private func pid(of marker: String) -> Int32? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.first { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return line.split(separator: 0).last.map { String(decoding: $0, as: UTF8.self) } == marker
        }
    }

    @Test("54: the caller is answered, others run on, its ids stay out of use, and it goes when it can")
    func frozen() throws {
        guard Files.exists(StuckTests.freezer + "/cgroup.procs") else {
            print("SKIPPED row 54: only the v1 freezer makes a process that SIGKILL does not reach")
            return
        }
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let marker = "stuck-\(UUID().uuidString)"
        let group = "\(StuckTests.freezer)/soulbox-test-\(marker)"
        try Files.makeDirectory(group, mode: 0o755)
        defer { rmdir(group) }
        var request = Run.Request("import time\ntime.sleep(60)")
        request.arguments = [marker]
        request.limits = ExecutionLimits(timeoutMilliseconds: 2000)
        let run = try Run.run(request, on: isolator) { _ in
            WorkerThread.start(name: "freezer") {
                for _ in 0..<100 {
                    if let pid = pid(of: marker) {
                        try? Files.write(group + "/cgroup.procs", Array(String(pid).utf8))
                        try? Files.write(group + "/freezer.state", Array("FROZEN".utf8))
                        return
                    }
                    usleep(10_000)
                }
            }
        }
        #expect(run.reason == .timeout && run.milliseconds < 20_000, "\(run)")
        let stuck = try #require(pid(of: marker))
        let user = try Files.status("/proc/\(stuck)").user
        // More than the remover has threads, while it still tries.
        for number in 0..<10 {
            let other = try Run.python("import os\nprint(\(number))", on: isolator)
            #expect(other.output == "\(number)\n", "\(other)")
        }
        for _ in 0..<150 where try !isolatorLog(isolator).contains("could not be removed") { usleep(100_000) }
        #expect(try isolatorLog(isolator).contains("could not be removed"))
        #expect(isolator.sandboxes.count >= 1)
        let uids = (0..<5).compactMap { _ in try? Run.python("print(open('/proc/self/uid_map').read())", on: isolator) }
        #expect(uids.count == 5 && !uids.contains { $0.output.contains(" \(Int(user) - 1000) ") })

        try Files.write(group + "/freezer.state", Array("THAWED".utf8))
        #expect(isolator.waitUntilClean(seconds: 50))
        #expect(try isolatorLog(isolator).contains("a sandbox that was stuck is gone"))
    }

    private func isolatorLog(_ isolator: TestIsolator) throws -> String {
        try Files.readString(isolator.runDirectory + "/isolator.log")
    }
}
