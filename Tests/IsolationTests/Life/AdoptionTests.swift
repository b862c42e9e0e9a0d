import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

@Suite("Sandboxes outlive the isolator", .serialized, .enabled(if: Host.canIsolate))
struct AdoptionTests {
    /// The host's pid of a sandbox's PID 1.
    private func firstProcess(of sandbox: TestSandbox) throws -> Int32 {
        let path = sandbox.isolator.sandboxDirectory + "/\(sandbox.id)/run.json"
        let json = try JSONParser.parse(try Files.read(path))
        return Int32(try #require(json["pid"]?.integerValue))
    }

    @Test("1: kill -9 of the isolator: sandboxes live on and are taken over, what ran for a caller ends")
    func adoption() throws {
        let first = try TestIsolator()
        let sandbox = try TestSandbox(on: first)
        #expect(try sandbox.python("open('kept','w').write('1'); print(1)").output == "1\n")
        let pid = try firstProcess(of: sandbox)
        let broken = Monitor<Run?>(nil)
        WorkerThread.start(name: "foreground") {
            let run = try? sandbox.python(
                "import time,os\nos.system('sleep 1000 &')\nopen('begun','w').close()\ntime.sleep(1000)",
                milliseconds: 60_000)
            broken.update { $0 = run ?? Run() }
        }
        let deadline = MonotonicClock.now + 10_000_000_000
        let connection = try sandbox.connect()
        while (try? connection.stat("begun", in: sandbox.id, account: sandbox.account)) == nil,
            MonotonicClock.now < deadline
        { usleep(10_000) }
        #expect(try sandbox.state.executions == 1)
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        #expect(ProcessDescriptor.isAlive(pid))
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        let after = TestSandbox(adopted: sandbox.id, on: second)
        #expect(try after.state.phase == .running)
        #expect(try firstProcess(of: after) == pid)
        let run = try after.python("import os; print(open('kept').read(), os.path.exists('begun'))")
        #expect(run.output == "1 True\n", "\(run)")
        // What the lost caller had started is gone with its background children.
        let others = try after.python(
            "import os; print([p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())])")
        #expect(others.output == "[]\n", "\(others)")
        _ = broken.wait(until: MonotonicClock.now + 10_000_000_000) { $0 }
        try after.remove()
        #expect(second.waitUntilClean())
    }

    @Test("45: an upgrade while sandboxes run: they are taken over with their first process, new ones have the new one")
    func upgrade() throws {
        let newer = FileManager.default.temporaryDirectory.appending(path: "soulbox-upgrade-\(getpid())").path
        try FileManager.default.createDirectory(atPath: newer, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: newer) }
        for name in ["soulbox-isolator", "soulbox-init", "libsoulbox-zygote.so"] {
            var bytes = try Data(contentsOf: URL(filePath: TestIsolator.binaries + "/" + name))
            // Behind the end of what is loaded: the same program in another file.
            if name == "soulbox-init" { bytes.append(0) }
            try bytes.write(to: URL(filePath: "\(newer)/\(name)"))
            chmod("\(newer)/\(name)", 0o755)
        }
        let first = try TestIsolator()
        let old = try TestSandbox(on: first)
        let size = "import os; print(os.stat('/usr/lib/soulbox/init').st_size)"
        let before = try #require(Int(try old.python(size).output.dropLast()))
        let pid = try firstProcess(of: old)
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let second = try TestIsolator(instance: first.instance, binaries: newer)
        defer { second.stop() }
        let adopted = TestSandbox(adopted: old.id, on: second)
        #expect(try adopted.state.phase == .running && firstProcess(of: adopted) == pid)
        #expect(try adopted.python(size).output == "\(before)\n")
        let new = try TestSandbox(on: second)
        #expect(try new.python(size).output == "\(before + 1)\n")
        try adopted.remove()
        try new.remove()
        #expect(second.waitUntilClean())
    }

    @Test(
        "2: kill -9 of the isolator at any moment of making and removing: nothing half-made is left",
        arguments: [0, 1])
    func killedAtWork(ready: Int) throws {
        var isolator = try TestIsolator(ready: ready)
        let instance = isolator.instance
        // The first is of the size that stands ready.
        let limits = SandboxLimits(
            memoryBytes: 64 << 20, cpuMillicores: 1000, processes: 32, diskBytes: ready > 0 ? 1 << 30 : 16 << 20)
        var taken = 0
        for round in 0..<Host.repetitions(ready > 0 ? 20 : 30) {
            let socket = isolator.socket
            let done = Monitor(0)
            for _ in 0..<2 {
                WorkerThread.start(name: "maker") {
                    while let connection = try? IsolationConnection(path: socket) {
                        let id = Identifier.make(.sandbox)
                        do {
                            _ = try connection.createSandbox(
                                id, account: "acct_test", template: "basic-python", limits: limits)
                            try connection.removeSandbox(id, account: "acct_test")
                        } catch { break }
                    }
                    done.update { $0 += 1 }
                }
            }
            // Only then is one that stood ready among what is met; an emulated machine takes its time.
            let deadline = MonotonicClock.now + 20_000_000_000
            while ready > 0, (try? isolator.status.readyTaken) ?? 0 == 0, MonotonicClock.now < deadline { usleep(5000) }
            // A making takes about thirty milliseconds: every step of it is met.
            usleep(UInt32(20_000 + round * 1700))
            taken += (try? isolator.status.readyTaken) ?? 0
            isolator.process.signal(SIGKILL)
            isolator.process.waitForExit()
            #expect(done.wait(until: MonotonicClock.now + 20_000_000_000) { $0 == 2 ? true : nil } == true)
            isolator = try TestIsolator(instance: instance, ready: ready)
        }
        defer { isolator.stop() }
        #expect((taken > 0) == (ready > 0))
        let connection = try IsolationConnection(path: isolator.socket)
        for state in try connection.sandboxes() {
            let sandbox = TestSandbox(adopted: state.id, on: isolator)
            if state.phase == .running { #expect(try sandbox.python("print(1)").output == "1\n", "\(state)") }
            try sandbox.remove()
        }
        #expect(isolator.waitUntilClean())
        #expect(isolator.sandboxFiles.filter { $0 != ".disks" }.isEmpty)
        if ready == 0 { #expect(try isolator.loopDevices().isEmpty) }
        #expect(try TestSandbox(on: isolator).python("print(1)").output == "1\n")
    }

    @Test("4: PID 1 killed: the sandbox has failed, says why, and starts again with its files")
    func firstProcessKilled() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        #expect(try sandbox.python("open('kept','w').write('1'); print(1)").output == "1\n")
        kill(try firstProcess(of: sandbox), SIGKILL)
        let deadline = MonotonicClock.now + 5_000_000_000
        while try sandbox.state.phase == .running, MonotonicClock.now < deadline { usleep(10_000) }
        let state = try sandbox.state
        #expect(state.phase == .failed)
        #expect(state.reason == "its first process was killed")
        #expect(try sandbox.python("print(1)").error?.code == .sandboxNotRunning)
        #expect(try sandbox.connect().startSandbox(sandbox.id, account: sandbox.account).phase == .running)
        #expect(try sandbox.python("print(open('kept').read())").output == "1\n")
    }

    @Test("5, 6, 7: what a reboot, a crash and a broken disk leave is told truthfully or cleared away")
    func leftovers() throws {
        let first = try TestIsolator()
        let stopped = try TestSandbox(on: first)
        let corrupt = try TestSandbox(on: first)
        let rebooted = try TestSandbox(on: first)
        #expect(try rebooted.python("open('kept','w').write('1'); print(1)").output == "1\n")
        _ = try stopped.connect().stopSandbox(stopped.id, account: stopped.account)
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let directory = first.sandboxDirectory
        try Data("{\"version\": 1, \"sandb".utf8).write(to: URL(filePath: directory + "/\(corrupt.id)/sandbox.json"))
        // As a start of the machine later: the same file, another boot.
        let runFile = directory + "/\(rebooted.id)/run.json"
        let text = try String(contentsOfFile: runFile, encoding: .utf8)
        try text.replacing(try BootIdentity.current(), with: "another-boot").write(
            toFile: runFile, atomically: true, encoding: .utf8)
        // Half-made: a disk without a record.
        let half = directory + "/\(Identifier.make(.sandbox))"
        try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: true)
        try Data(count: 4096).write(to: URL(filePath: half + "/disk.ext4"))
        let begin = MonotonicClock.now
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        #expect(MonotonicClock.now - begin < 5_000_000_000)
        #expect(!FileManager.default.fileExists(atPath: half))
        #expect(try TestSandbox(adopted: stopped.id, on: second).state.phase == .stopped)
        let after = TestSandbox(adopted: rebooted.id, on: second)
        let state = try after.state
        #expect(state.phase == .stopped)
        #expect(state.reason == "the host was restarted")
        #expect(try after.connect().startSandbox(after.id, account: after.account).phase == .running)
        #expect(try after.python("print(open('kept').read())").output == "1\n")
        // Nobody's: neither shown nor started, killed, and in nobody's way.
        #expect(throws: IsolationError.self) { try TestSandbox(adopted: corrupt.id, on: second).state }
        let quarantined = try after.connect().sandboxes().first { $0.id == corrupt.id }
        #expect(quarantined?.phase == .failed)
        #expect(Set(second.sandboxes) == [after.id])
        #expect(try TestSandbox(on: second).python("print(1)").output == "1\n")
    }
}

extension TestSandbox {
    /// One that an earlier isolator made.
    init(adopted id: String, on isolator: TestIsolator) {
        self.id = id
        self.isolator = isolator
    }
}

extension ProcessDescriptor {
    static func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }
}
