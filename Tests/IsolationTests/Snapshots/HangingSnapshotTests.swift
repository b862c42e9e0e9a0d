import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

@testable import Isolation

@Suite("Snapshots that hang", .serialized, .enabled(if: Host.canIsolate))
struct HangingSnapshotTests {
    /// CRIU's process, as soon as there is one that works for this isolator.
    private func criu(of isolator: TestIsolator) -> pid_t? {
        let work = isolator.sandboxDirectory + "/.snapshots/"
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(entry), let line = try? Files.readString("/proc/\(pid)/cmdline"),
                line.contains("/usr/sbin/criu"), line.contains(work)
            else { continue }
            return pid
        }
        return nil
    }

    /// Stops CRIU that long after it was first seen; false when it has ended before.
    private func stop(_ isolator: TestIsolator, after milliseconds: UInt32) -> Bool {
        let deadline = MonotonicClock.now + 10_000_000_000
        while MonotonicClock.now < deadline {
            guard let pid = criu(of: isolator) else {
                usleep(500)
                continue
            }
            usleep(milliseconds * 1000)
            return kill(pid, SIGSTOP) == 0
        }
        return false
    }

    /// Lets CRIU hang at some moment of what `body` asks for, and expects that it is ended; 1 if it did hang.
    private func expectEnd(
        on isolator: TestIsolator, after milliseconds: UInt32, _ body: @escaping () throws -> Void
    ) throws -> Int {
        let stopped = Monitor<Bool?>(nil)
        WorkerThread.start(name: "stop") {
            let didStop = stop(isolator, after: milliseconds)
            stopped.update { $0 = didStop }
        }
        let begin = MonotonicClock.now
        let error = refusal(body)
        let seconds = (MonotonicClock.now - begin) / 1_000_000_000
        let didStop = stopped.wait(until: MonotonicClock.now + 15_000_000_000) { $0 } ?? false
        guard didStop, let error else { return 0 }
        #expect(error.message.contains("too long"), "\(error)")
        #expect(seconds < 10, "\(seconds) s")
        return 1
    }

    /// A program of two threads that count.
    private static let program = """
        import os, threading, time
        held = os.urandom(48 << 20)
        def count(name):
            while True:
                open(name, "w").write(str(time.monotonic_ns())); time.sleep(.02)
        threading.Thread(target=count, args=("m",), daemon=True).start()
        open("ready", "w").close()
        count("n")
        """

    /// Whether both threads of it go on.
    private func isCounting(_ sandbox: TestSandbox) throws -> Bool {
        let numbers = try sandbox.python(
            """
            import time
            def read(): return [open(n).read() for n in "mn"]
            a = read(); time.sleep(.3); b = read(); print(a[0] != b[0], a[1] != b[1])
            """)
        return numbers.output == "True True\n"
    }

    @Test(
        "28: CRIU that hangs is ended in time, at any moment; nothing stands still, and the sandbox can be held later")
    func hangs() throws {
        let isolator = try TestIsolator(snapshotProcessSeconds: 2)
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        defer { try? sandbox.remove() }
        try sandbox.startPython(HangingSnapshotTests.program)
        var stopped = 0
        for milliseconds: UInt32 in [0, 40, 120] {
            stopped += try expectEnd(on: isolator, after: milliseconds) {
                try TestSnapshot(of: sandbox, memory: true).remove()
            }
            #expect(criu(of: isolator) == nil)
            // A process that CRIU was inside of may be lost; one that is there goes on, and nobody looks at it.
            if try sandbox.state.phase != .running {
                // Even the first one; then the sandbox has failed, and says so.
                _ = try sandbox.connect().startSandbox(sandbox.id, account: sandbox.account)
            }
            if try !isCounting(sandbox) {
                #expect(try sandbox.state.processes == 0, "after \(milliseconds) ms a process stands still")
                _ = try sandbox.python("import os\nos.unlink('ready')")
                try sandbox.startPython(HangingSnapshotTests.program)
                #expect(try isCounting(sandbox))
            }
            for process in isolator.processes() {
                let status = (try? String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)) ?? ""
                #expect(status.isEmpty || status.contains("TracerPid:\t0"), "\(status)")
            }
        }
        #expect(stopped >= 2, "CRIU was too fast to be stopped")
        // The sandbox is as before: it can be held, and what is made of it goes on.
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        let copy = try snapshot.restore()
        #expect(try copy.state.processes == 1 && isCounting(copy))
        try copy.remove()
        try snapshot.remove()
        try sandbox.remove()
        #expect(isolator.waitUntilClean())
    }

    @Test("28: a restore whose CRIU hangs leaves nothing, and can be repeated")
    func restores() throws {
        let isolator = try TestIsolator(snapshotProcessSeconds: 2)
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        try sandbox.startPython(
            "import os, time\nheld = os.urandom(48 << 20)\nopen('ready','w').close()\ntime.sleep(1000)")
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        try sandbox.remove()
        var stopped = 0
        for milliseconds: UInt32 in [0, 70] {
            stopped += try expectEnd(on: isolator, after: milliseconds) { try snapshot.restore().remove() }
            #expect(criu(of: isolator) == nil)
            #expect(isolator.waitUntilClean(), "after \(milliseconds) ms")
        }
        #expect(stopped >= 1, "CRIU was too fast to be stopped")
        let copy = try snapshot.restore()
        #expect(try copy.state.processes == 1)
        try copy.remove()
        try snapshot.remove()
        #expect(isolator.waitUntilClean())
    }
}
