import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Sandboxes that stand ready: taken once, like those made for a call, and gone without a trace.
@Suite("Ready pool", .serialized, .enabled(if: Host.canIsolate))
struct ReadyPoolTests {
    /// A run in a sandbox that stood ready.
    private func ready(_ request: Run.Request, on isolator: TestIsolator) throws -> Run {
        try isolator.ready { try Run.run(request, on: isolator) }
    }

    @Test("arguments, environment, input, files, limits and exit code are the call's")
    func work() throws {
        var request = Run.Request(
            """
            import os, sys
            print(sys.argv, os.environ['ODD'], sys.stdin.read(), open('other/file').read(), os.getcwd())
            print(sorted(os.listdir('.')), __name__, __file__)
            open('made', 'w').write('m'); os.makedirs('deep/er'); open('deep/er/too', 'w').write('t')
            sys.stderr.write('err'); sys.exit(7)
            """)
        request.arguments = ["$(id)", "a\nb", "", "ü"]
        request.environment = ["ODD": "$(id)\n;'\""]
        request.stdin = "typed"
        request.files = ["other/file": Array("beside".utf8)]
        let run = try ready(request, on: .pooled)
        #expect(
            run.output == """
                ['main.py', '$(id)', 'a\\nb', '', 'ü'] $(id)
                ;'" typed beside /workspace
                ['main.py', 'other'] __main__ /workspace/main.py

                """, "\(run)")
        #expect(run.errors == "err" && run.outcome?.exitCode == 7)
        #expect(run.artifacts["made"] == [UInt8(ascii: "m")] && run.artifacts["deep/er/too"] == [UInt8(ascii: "t")])
        #expect(run.artifactSizes.count == 2)
    }

    @Test("other memory, disk and processor limits than it was made with hold")
    func limits() throws {
        var memory = Run.Request("x = bytearray(200 << 20)\nprint(len(x))")
        memory.limits = ExecutionLimits(timeoutMilliseconds: 10_000, memoryBytes: 64 << 20)
        #expect(try ready(memory, on: .pooled).reason == .oom)
        memory.limits = ExecutionLimits(timeoutMilliseconds: 10_000, memoryBytes: 512 << 20)
        #expect(try ready(memory, on: .pooled).output == "\(200 << 20)\n")
        var disk = Run.Request("f = open('f', 'wb')\nfor _ in range(20): f.write(bytes(1 << 20)); f.flush()")
        disk.limits = ExecutionLimits(timeoutMilliseconds: 10_000, memoryBytes: 32 << 20)
        let full = try ready(disk, on: .pooled)
        #expect(full.outcome?.exitCode == 1 && full.errors.contains("OSError"), "\(full)")
        var time = Run.Request("while True: pass")
        time.limits = ExecutionLimits(timeoutMilliseconds: 600)
        let wall = try #require(try ready(time, on: .pooled).outcome?.wallTimeMicroseconds)
        #expect(wall >= 600_000 && wall < 700_000, "\(wall) µs")
    }

    @Test("17, 75: each is used once, and has random numbers of its own")
    func once() throws {
        let code = """
            import os, random, uuid, tempfile
            for d in ('/workspace', '/tmp', '/dev/shm'):
                assert not os.path.exists(d + '/marker'); open(d + '/marker', 'w').close()
            print(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()))
            """
        var seen: Set<Substring> = []
        for _ in 0..<6 {
            let run = try ready(Run.Request(code), on: .pooled)
            #expect(run.outcome?.exitCode == 0, "\(run)")
            seen.formUnion(run.output.split(whereSeparator: \.isWhitespace))
        }
        #expect(seen.count == 18)
    }

    @Test(
        "modules that a start of Python looks for are found when the program brings them",
        arguments: ["sitecustomize", "usercustomize", "os"])
    func customization(module: String) throws {
        var request = Run.Request(
            "import sys; print('main', sorted(set(sys.modules) & {'sitecustomize', 'usercustomize'}))")
        request.files = ["\(module).py": Array("print('first')\n".utf8)]
        let pooled = try ready(request, on: .pooled)
        #expect(pooled.output == (try Run.run(request, on: .plain).output) && !pooled.output.isEmpty, "\(pooled)")
    }

    @Test("a program of another name is told its own")
    func entrypoint() throws {
        var request = Run.Request("import sys; print(sys.argv, __file__)")
        request.file = "other.py"
        request.entrypoint = "other.py"
        for _ in 0..<3 {
            let run = try Run.run(request, on: .pooled)
            #expect(run.output == "['other.py'] /workspace/other.py\n", "\(run)")
            // By then some stand ready for that name too.
            usleep(300_000)
        }
    }

    /// The processes of zygotes, in the order in which they were made; not those that they have forked.
    private func zygotes(of isolator: TestIsolator) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { pid in
            guard let group = try? String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8),
                group.contains("soulbox-\(isolator.instance)/zygotes/"),
                let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
                let parent = status.split(separator: "\n").first(where: { $0.hasPrefix("PPid:\t") })?.dropFirst(6),
                let command = try? String(contentsOfFile: "/proc/\(parent)/comm", encoding: .utf8)
            else { return false }
            return command.hasPrefix("soulbox-isolato")
        }.sorted()
    }

    @Test(
        "26: a name that an interpreter would take for options is refused", arguments: ["-ScX", "-V", "@x", "-/a.py"])
    func options(name: String) throws {
        var request = Run.Request("print('ran')")
        request.file = name
        request.entrypoint = name
        for _ in 0..<3 {
            let run = try Run.run(request, on: .pooled)
            #expect(run.outcome == nil && run.output.isEmpty && run.error?.code == .invalidSpec, "\(run)")
        }
    }

    @Test(
        "12: what interpreters are forked from has no capability, no host directory and no way in for the host's users")
    func zygotePosture() throws {
        let isolator = TestIsolator.pooled
        _ = try ready(Run.Request("print(1)"), on: isolator)
        let found = try zygotes(of: isolator)
        let log = (try? String(contentsOfFile: isolator.runDirectory + "/isolator.log", encoding: .utf8)) ?? ""
        let pid = try #require(found.first, "\(log.split(separator: "\n").filter { $0.contains("zygote") })")
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        for line in [
            "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
            "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Threads:\t1",
        ] { #expect(status.contains(line), "\(line) in \(status)") }
        for name in ["mnt", "net", "ipc", "uts"] {
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(name)") != own)
        }
        let mounts = try String(contentsOfFile: "/proc/\(pid)/mountinfo", encoding: .utf8).split(separator: "\n")
        #expect(mounts.count == 1 && mounts[0].contains(" / / ro,nosuid,nodev"), "\(mounts)")
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) == ["0", "1", "2", "3"])
        let layers = "/var/cache/soulbox/images/runtime/\(isolator.instance)"
        let mode = try FileManager.default.attributesOfItem(atPath: layers)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test("zygotes that are ended while they are asked, and one that is killed: nobody notices")
    func zygotes() throws {
        let isolator = try TestIsolator(ready: 2)
        defer { isolator.stop() }
        #expect(isolator.waitUntilReady())
        let wrong = Monitor(0)
        let ends = Monitor(0)
        let each = Host.repetitions(640) / 8
        for _ in 0..<8 {
            Thread.detachNewThread {
                for _ in 0..<each where (try? Run.python("print(1)", on: isolator).output) != "1\n" {
                    wrong.update { $0 += 1 }
                }
                ends.update { $0 += 1 }
            }
        }
        // Each serves 256; and two are killed.
        for _ in 0..<2 {
            usleep(700_000)
            // The zygote alone: a fork of it may be on its way out of the group, to run a program.
            for pid in try zygotes(of: isolator).prefix(1) { kill(pid, SIGKILL) }
        }
        #expect(ends.wait(until: MonotonicClock.now + 120_000_000_000) { $0 == 8 ? true : nil } == true)
        #expect(wrong.read { $0 } == 0)
        #expect(isolator.waitUntilClean(seconds: 20))
    }

    @Test("a call with an environment or limits that what waits cannot have is served all the same")
    func otherWays() throws {
        var hashed = Run.Request("print(hash('x'))")
        hashed.environment = ["PYTHONHASHSEED": "0"]
        let first = try Run.run(hashed, on: .pooled)
        #expect(try Run.run(hashed, on: .pooled).output == first.output && !first.output.isEmpty)
        var few = Run.Request("import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[0])")
        few.limits = ExecutionLimits(timeoutMilliseconds: 10_000, processes: 9)
        #expect(try Run.run(few, on: .pooled).output == (try Run.run(few, on: .plain).output))
        var long = Run.Request("import os, sys; print(len(os.environ['LONG']), len(sys.argv[1]))")
        long.environment = ["LONG": String(repeating: "x", count: 60_000)]
        long.arguments = [String(repeating: "y", count: 50_000)]
        #expect(try Run.run(long, on: .pooled).output == "60000 50000\n")
    }

    @Test("one whose interpreter was killed while it waited is not given to anybody")
    func killed() throws {
        let isolator = try TestIsolator(ready: 2)
        defer { isolator.stop() }
        #expect(isolator.waitUntilReady())
        let waiting = isolator.processes().filter { $0.command.contains("SOULBOX") || $0.command.contains("python3") }
        #expect(waiting.count >= 2)
        for process in waiting { kill(process.id, SIGKILL) }
        // What is killed ends when it next gets the processor, of which it has the smallest share.
        usleep(300_000)
        for _ in 0..<3 { #expect(try Run.python("print(1)", on: isolator).output == "1\n") }
        #expect(isolator.waitUntilReady(seconds: 60))
        #expect(isolator.waitUntilClean())
    }

    @Test("400 executions at once, and then none: what was taken is replaced, and nothing is left behind")
    func load() async throws {
        let isolator = try TestIsolator(ready: 2)
        #expect(isolator.waitUntilReady())
        let failures = Monitor(0)
        let each = Host.repetitions(400) / 8
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<8 {
                group.addTask {
                    await Task.detached {
                        for number in 0..<each {
                            let text = "\(client)-\(number)"
                            let run = try? Run.python("print('\(text)')", on: isolator)
                            if run?.output != text + "\n" { failures.update { $0 += 1 } }
                        }
                    }.value
                }
            }
        }
        #expect(failures.read { $0 } == 0)
        #expect(isolator.waitUntilReady())
        #expect(isolator.waitUntilClean())
        // One that is just being made ready is counted until it stands.
        let deadline = MonotonicClock.now + 20_000_000_000
        var status = try isolator.status
        while status.sandboxes > 0, MonotonicClock.now < deadline {
            usleep(20_000)
            status = try isolator.status
        }
        #expect(status.readyTaken > 0 && status.sandboxes == 0)
        let python = status.readyCounts.first { $0.template == "basic-python" && !$0.isPersistent }
        #expect(python?.runtime == "python" && (python?.ready ?? 0) >= 1)
        #expect(status.readyCounts.reduce(0) { $0 + $1.ready } == status.ready)
        isolator.process.signal(SIGTERM)
        isolator.process.waitForExit()
        #expect(isolator.sandboxes.isEmpty && isolator.processes().isEmpty)
        isolator.stop()
    }

    @Test("1, 2: kill -9 of the isolator: what stood ready is cleared away by the next")
    func orphans() throws {
        let first = try TestIsolator(ready: 2)
        #expect(first.waitUntilReady())
        let before = first.sandboxes
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let second = try TestIsolator(instance: first.instance, ready: 1)
        defer { second.stop() }
        #expect(second.waitUntilReady(1))
        #expect(second.waitUntilClean())
        #expect(second.sandboxes.isDisjoint(with: before))
    }

    @Test("the memory that all together take is bounded")
    func memory() throws {
        let isolator = try TestIsolator(ready: 50, readyMemory: 64 << 20)
        defer { isolator.stop() }
        #expect(isolator.waitUntilReady(1))
        usleep(3_000_000)
        // Each counts as a mebibyte and what its cgroup is charged with; one may be under way on each of two threads.
        #expect(try isolator.status.ready < 40)
        #expect(try Run.python("print(1)", on: isolator).output == "1\n")
    }
}
