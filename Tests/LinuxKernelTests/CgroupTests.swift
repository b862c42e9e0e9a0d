import Foundation
import LinuxKernel
import TestProcess
import Testing

/// Cgroups against the real kernel, whichever version it serves.
@Suite("Cgroups", .enabled(if: Host.isRoot), .serialized)
struct CgroupTests {
    /// A prepared instance of a name of its own, removed at the end.
    private func withInstance(_ body: (CgroupHost, String) throws -> Void) throws {
        let host = try CgroupHost.probe()
        let top = "soulbox-test-" + UUID().uuidString.prefix(8).lowercased()
        try host.prepareInstance(top)
        defer { host.removeInstance(top) }
        try body(host, top)
    }

    /// A sandbox's group with a leaf, limits set.
    private func withLeaf(_ limits: CgroupLimits, _ body: (any Cgroup) throws -> Void) throws {
        try withInstance { host, top in
            let group = host.group("\(top)/sbx/one")
            try group.create()
            defer { try? group.removeTree() }
            try group.restrictDevices()
            let leaf = host.group("\(top)/sbx/one/x-1")
            try leaf.create()
            try leaf.set(limits)
            try body(leaf)
            try leaf.kill()
            #expect(leaf.waitUntilEmpty(deadline: MonotonicClock.now + 3_000_000_000))
        }
    }

    private func start(_ script: String) throws -> TestProcess {
        try TestProcess("/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"])
    }

    @Test("a process is in the group that it was attached to, and dies with it")
    func attachAndKill() throws {
        try withLeaf(CgroupLimits(memoryBytes: 64 << 20, cpuMillicores: 500, processes: 20, oomGroup: true)) { leaf in
            let process = try start("exec sleep 60")
            #expect(try !leaf.contains(pid: process.pid))
            try leaf.attach(pid: process.pid)
            #expect(try leaf.contains(pid: process.pid))
            try leaf.kill()
            #expect(process.waitForExit() == .signaled(SIGKILL))
        }
    }

    @Test("the process limit refuses forks and counts them")
    func processLimit() throws {
        try withLeaf(CgroupLimits(memoryBytes: nil, cpuMillicores: nil, processes: 5, oomGroup: false)) { leaf in
            let process = try start("sleep 0.3; for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait")
            try leaf.attach(pid: process.pid)
            process.waitForExit()
            #expect(try leaf.usage().processLimitHits > 0)
        }
    }

    @Test("what may be saved up of processor time adds to the limit once, and a limit is lowered below it")
    func processorTime() throws {
        try withLeaf(CgroupLimits(memoryBytes: nil, cpuMillicores: 900, processes: nil, oomGroup: false)) { leaf in
            // A tenth of a second saved up of 900, then of 200.
            try leaf.set(CgroupLimits(memoryBytes: nil, cpuMillicores: 200, processes: nil, oomGroup: false))
            let process = try start("while :; do :; done")
            let begin = MonotonicClock.now
            try leaf.attach(pid: process.pid)
            usleep(1_000_000)
            let used = try leaf.usage().cpuMicroseconds
            let elapsed = (MonotonicClock.now - begin) / 1000
            try leaf.kill()
            process.waitForExit()
            // With what was saved up, and a period that has begun.
            #expect(used <= elapsed / 5 + 20_000 + 40_000, "\(used) of \(elapsed) µs")
            #expect(used > 0)
        }
    }

    @Test("the memory limit kills, counts and tells")
    func memoryLimit() throws {
        try withLeaf(CgroupLimits(memoryBytes: 32 << 20, cpuMillicores: nil, processes: nil, oomGroup: true)) { leaf in
            let watch = try leaf.watchOutOfMemory()
            let process = try start("sleep 0.3; exec head -c 200m /dev/zero | tail -n 1")
            try leaf.attach(pid: process.pid)
            process.waitForExit()
            let usage = try leaf.usage()
            #expect(usage.oomKills > 0 && usage.memoryPeak <= 33 << 20 && usage.memoryPeak > 16 << 20)
            if let watch {
                var entries = [PollEntry(descriptor: watch.rawValue, events: .input)]
                #expect(try withExtendedLifetime(watch) { try Poll.wait(&entries, timeout: 0) } == 1)
            }
        }
    }

    @Test("a group that exists is refused, and removing one that does not is no error")
    func createTwice() throws {
        try withInstance { host, top in
            let group = host.group("\(top)/sbx/two")
            try group.create()
            #expect(throws: SystemCallError.self) { try host.group("\(top)/sbx/two").create() }
            #expect(host.children(of: "\(top)/sbx") == ["two"])
            try group.removeTree()
            try group.removeTree()
            #expect(host.children(of: "\(top)/sbx").isEmpty)
        }
    }
}
