import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

@Suite("Removal of used sandboxes", .serialized, .enabled(if: Host.canIsolate))
struct RemovalTests {
    /// Waits until those groups are gone; false when they are not within that time.
    private func waitUntilGone(_ groups: Set<String>, of isolator: TestIsolator, seconds: UInt64) -> Bool {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while !isolator.sandboxes.isDisjoint(with: groups) {
            guard MonotonicClock.now < deadline else { return false }
            usleep(10_000)
        }
        return true
    }

    @Test("while others execute, what holds little waits for a moment, what holds much does not; in the end all go")
    func order() throws {
        let isolator = try TestIsolator(concurrent: 64)
        defer { isolator.stop() }
        // As many as leave no room for what can wait, on a large machine too.
        let count = ProcessInfo.processInfo.activeProcessorCount / 4 + 1
        let ended = Monitor(0)
        for _ in 0..<count {
            WorkerThread.start(name: "busy") {
                _ = try? Run.python("import time\nopen('ready','w').close()\ntime.sleep(12)", on: isolator)
                ended.update { $0 += 1 }
            }
        }
        let deadline = MonotonicClock.now + 10_000_000_000
        // One counts as running before its sandbox is there.
        while try isolator.status.executionsRunning < count || isolator.sandboxes.count < count {
            try #require(MonotonicClock.now < deadline)
            usleep(10_000)
        }
        let busy = isolator.sandboxes

        #expect(try Run.python("open('held', 'wb').write(bytes(32 << 20))", on: isolator).outcome?.exitCode == 0)
        let heavy = isolator.sandboxes.subtracting(busy)
        #expect(waitUntilGone(heavy, of: isolator, seconds: 2))

        #expect(try Run.python("print(1)", on: isolator).output == "1\n")
        let light = isolator.sandboxes.subtracting(busy)
        usleep(300_000)
        #expect(light.count == 1 && isolator.sandboxes.isSuperset(of: light), "\(light)")
        // Nothing runs in it but its first process.
        #expect(isolator.processes().count { $0.command.contains("main.py") } <= count)
        #expect(waitUntilGone(light, of: isolator, seconds: 6))
        #expect(ended.read { $0 } == 0, "the sandbox went when nothing else ran")

        #expect(ended.wait(until: MonotonicClock.now + 20_000_000_000) { $0 == count ? true : nil } == true)
        #expect(isolator.waitUntilClean())
    }

    @Test("what many leave is cleared away within seconds when the isolator was killed")
    func killed() throws {
        let first = try TestIsolator(concurrent: 64)
        let started = Monitor(0)
        for _ in 0..<8 {
            WorkerThread.start(name: "load") {
                for _ in 0..<12 { _ = try? Run.python("print(1)", on: first) }
                started.update { $0 += 1 }
            }
        }
        _ = started.wait(until: MonotonicClock.now + 30_000_000_000) { $0 == 8 ? true : nil }
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let begin = MonotonicClock.now
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        #expect(second.sandboxes.isEmpty)
        #expect(MonotonicClock.now - begin < 10_000_000_000)
    }
}
