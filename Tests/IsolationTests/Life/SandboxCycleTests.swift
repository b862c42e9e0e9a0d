import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

/// What many sandboxes and many cycles leave: nothing.
@Suite("Sandboxes, many of them", .serialized, .enabled(if: Host.canIsolate))
struct SandboxCycleTests {
    /// What the machine holds of an isolator's making.
    private func counts(_ isolator: TestIsolator) -> [String: Int] {
        let now = HostCounts.now(of: isolator)
        return [
            "groups": now.groups, "mounts": now.mounts, "processes": now.processes, "descriptors": now.descriptors,
            "loops": ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []).count {
                $0.hasPrefix("loop")
                    && LoopDevice.file(behind: Int32($0.dropFirst(4)) ?? -1)?.contains(isolator.instance) == true
            },
            "directories": isolator.sandboxFiles.count,
        ]
    }

    @Test("36: create, run, delete, again and again: the host is as before")
    func cycles() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        func cycle() throws {
            let sandbox = try TestSandbox(
                on: isolator,
                limits: SandboxLimits(memoryBytes: 64 << 20, cpuMillicores: 1000, processes: 32, diskBytes: 16 << 20))
            let run = try sandbox.python("print(1)")
            #expect(run.output == "1\n", "\(run)")
            try sandbox.remove()
        }
        for _ in 0..<Host.repetitions(20) { try cycle() }
        #expect(isolator.waitUntilClean())
        let before = counts(isolator)
        let resident = HostCounts.now(of: isolator).residentKibibytes
        for _ in 0..<Host.repetitions(200) { try cycle() }
        #expect(isolator.waitUntilClean())
        usleep(300_000)
        let after = counts(isolator)
        #expect(after == before)
        let grown = HostCounts.now(of: isolator).residentKibibytes - resident
        #expect(grown < 4096, "\(grown) KiB")
    }

    @Test("55: mixed calls in parallel on the same sandboxes end in states that are true")
    func mixed() throws {
        let isolator = try TestIsolator(concurrent: 16)
        defer { isolator.stop() }
        let count = Host.repetitions(50)
        let ids = (0..<count).map { _ in Identifier.make(.sandbox) }
        let limits = SandboxLimits(memoryBytes: 64 << 20, cpuMillicores: 1000, processes: 32, diskBytes: 16 << 20)
        let done = Monitor(0)
        let threads = 40
        for number in 0..<threads {
            WorkerThread.start(name: "mixed-\(number)") {
                var generator = SystemRandomNumberGenerator()
                for _ in 0..<Host.repetitions(20) {
                    guard let id = ids.randomElement(using: &generator),
                        let connection = try? IsolationConnection(path: isolator.socket)
                    else { continue }
                    let sandbox = TestSandbox(adopted: id, on: isolator)
                    // Each may be refused, because another was faster; none may hang or break anything.
                    switch Int.random(in: 0..<6, using: &generator) {
                    case 0, 1:
                        _ = try? connection.createSandbox(
                            id, account: "acct_test", template: "basic-python", limits: limits)
                    case 2: _ = try? connection.stopSandbox(id, account: "acct_test")
                    case 3: _ = try? connection.startSandbox(id, account: "acct_test")
                    case 4: try? connection.removeSandbox(id, account: "acct_test")
                    default: _ = try? sandbox.python("print(1)", milliseconds: 5000)
                    }
                }
                done.update { $0 += 1 }
            }
        }
        #expect(done.wait(until: MonotonicClock.now + 120_000_000_000) { $0 == threads ? true : nil } == true)
        let connection = try IsolationConnection(path: isolator.socket)
        for state in try connection.sandboxes() {
            #expect(state.phase == .running || state.phase == .stopped, "\(state)")
            let run = try TestSandbox(adopted: state.id, on: isolator).python("print(1)")
            #expect(run.output == "1\n" || state.phase == .stopped, "\(state) \(run)")
            try connection.removeSandbox(state.id, account: "acct_test")
        }
        #expect(isolator.waitUntilClean())
        let left = counts(isolator)
        #expect(
            left["groups"] == 0 && left["processes"] == 0 && left["loops"] == 0 && left["directories"] == 0, "\(left)")
    }
}
