import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Persistent sandboxes that stood ready: they are like those made for a call.
@Suite("Ready persistent sandboxes", .serialized, .enabled(if: Host.canIsolate))
struct ReadyPersistentTests {
    @Test("files last over stop and start, limits are the call's, the disk is the sandbox's own, and it is used once")
    func life() throws {
        let isolator = TestIsolator.pooled
        let sandbox = try TestSandbox.ready(on: isolator, memoryBytes: 128 << 20, cpuMillicores: 500, processes: 60)
        defer { try? sandbox.remove() }
        let disk = isolator.sandboxDirectory + "/\(sandbox.id)/disk.ext4"
        #expect(try isolator.loopDevices().contains(disk))
        let first = try sandbox.hidden(
            """
            import os
            print(os.listdir('/workspace') == [os.path.basename(__file__)], os.listdir('/tmp') == ['.soulbox'], os.listdir('/dev/shm'))
            print(os.statvfs('/dev/shm').f_blocks * os.statvfs('/dev/shm').f_frsize, os.uname().nodename)
            open('/workspace/kept', 'w').write('1'); open('/tmp/marker-of-a-tenant', 'w').close()
            """)
        #expect(first.output == "True True []\n\(64 << 20) sandbox\n", "\(first)")
        #expect(first.artifactSizes == ["kept": 1])
        let bomb = try sandbox.python("b=[]\nwhile True: b.append(bytearray(1<<20))")
        #expect(bomb.reason == .oom, "\(bomb)")
        let forks = try sandbox.python(
            """
            import os, time
            n = 0
            try:
                while n < 400:
                    if os.fork() == 0: time.sleep(30)
                    n += 1
            except BlockingIOError: pass
            print(n < 70, flush=True)
            """)
        #expect(forks.output == "True\n", "\(forks)")
        #expect(try sandbox.connect().stopSandbox(sandbox.id, account: sandbox.account).phase == .stopped)
        #expect(try !isolator.loopDevices().contains(disk))
        #expect(try sandbox.connect().startSandbox(sandbox.id, account: sandbox.account).phase == .running)
        #expect(try sandbox.python("print(open('kept').read())").output == "1\n")
        let other = try TestSandbox.ready(on: isolator)
        defer { try? other.remove() }
        let search = try other.python(
            "import os; print([f for d, _, fs in os.walk('/') for f in fs if f in ('kept', 'marker-of-a-tenant')])")
        #expect(search.output == "[]\n", "\(search)")
    }

    @Test(
        "each execution is like the first: arguments, input, environment, files, and no other process beside it")
    func executions() throws {
        let sandbox = try TestSandbox.ready()
        defer { try? sandbox.remove() }
        var request = sandbox.hiddenRequest(
            """
            import os, sys
            print(len(sys.argv), sys.argv[1:], sys.stdin.read(), os.environ['ODD'], open('beside').read(), __name__)
            print(os.path.basename(__file__).startswith('.'), sys.argv[0] == sys.orig_argv[1], __file__.startswith('/workspace/'))
            print(sorted(p for p in os.listdir('/proc') if p.isdigit()) == [str(os.getpid())])
            print(sorted(f for f in os.listdir('/workspace') if f != os.path.basename(__file__)))
            sys.stderr.write(str(os.getpid()))
            sys.exit(3)
            """)
        request.arguments = ["a b", "ü"]
        request.stdin = "typed"
        request.environment = ["ODD": "$(id)"]
        request.files = ["beside": Array("file".utf8)]
        var outputs: [String] = []
        // The interpreter that waited is the first process after PID 1, and another waits for each that follows.
        for pid in 2...4 {
            #expect(try sandbox.awaitProgram(), "none waits")
            let run = try Run.run(request, on: sandbox.isolator)
            #expect(run.outcome?.exitCode == 3 && run.errors == "\(pid)", "\(run)")
            outputs.append(run.output)
        }
        #expect(
            outputs[0] == "3 ['a b', 'ü'] typed $(id) file __main__\nTrue True True\nTrue\n['beside']\n", "\(outputs)")
        #expect(outputs[0] == outputs[1] && outputs[0] == outputs[2])
    }

    @Test(
        "what comes with the first execution decides how its interpreter starts", arguments: ["environment", "package"])
    func before(change: String) throws {
        let sandbox = try TestSandbox.ready()
        defer { try? sandbox.remove() }
        var request = sandbox.hiddenRequest("import sys; print(sys.flags.optimize, 'mine' in sys.modules)")
        if change == "environment" {
            request.environment = ["PYTHONOPTIMIZE": "1"]
        } else {
            let run = try Run.python("import site; print(site.getusersitepackages().removeprefix('/workspace/'))")
            let directory = run.output.dropLast()
            request.files = ["\(directory)/mine.py": [], "\(directory)/a.pth": Array("import mine\n".utf8)]
        }
        let run = try Run.run(request, on: sandbox.isolator)
        #expect(run.output == (change == "environment" ? "1 False\n" : "0 True\n"), "\(run)")
    }

    @Test(
        "what an execution left decides how the next one's interpreter starts, and a background process has none wait")
    func afterwards() throws {
        let sandbox = try TestSandbox.ready()
        defer { try? sandbox.remove() }
        let left = try sandbox.hidden(
            "import os; os.makedirs('sub'); open('json.py','w').write('mine = 1'); open('usercustomize.py','w').write('import sys; sys.mine = 2')"
        )
        #expect(left.outcome?.exitCode == 0, "\(left)")
        #expect(try sandbox.awaitProgram(), "none waits")
        // One whose text has a name of its own starts an interpreter of its own.
        let plain = try sandbox.python("import json, sys; print(json.mine, getattr(sys, 'mine', None))")
        _ = try sandbox.hidden("print()")
        #expect(try sandbox.awaitProgram(), "none waits")
        let run = try sandbox.hidden("import json, sys; print(json.mine, getattr(sys, 'mine', None))")
        #expect(run.output.hasPrefix("1 ") && run.output == plain.output, "\(run) \(plain)")
        #expect(try sandbox.awaitProgram(), "none waits")
        let process = try sandbox.connect().startProcess(
            arguments: ["/usr/bin/sleep", "60"], environment: [], directory: "/workspace", in: sandbox.id,
            account: sandbox.account)
        let beside = try sandbox.hidden(
            "import os; print(sorted(p for p in os.listdir('/proc') if p.isdigit()) == sorted([str(os.getpid()), '\(process.pid)']))"
        )
        #expect(beside.output == "True\n", "\(beside)")
        usleep(300_000)
        #expect(try sandbox.programs().count == 1)
        try sandbox.connect().signalProcess(process.pid, SIGKILL, in: sandbox.id, account: sandbox.account)
        // Code of the user's that an interpreter's start would run runs in executions and background processes alone.
        let packages = try sandbox.hidden(
            "import os, site; d = site.getusersitepackages(); os.makedirs(d); open(d + '/a.pth', 'w').write('import os; os.mkdir(\"/workspace/\" + str(os.getpid()))')"
        )
        #expect(packages.outcome?.exitCode == 0, "\(packages)")
        usleep(300_000)
        let seen = try sandbox.hidden(
            "import os; print([f for f in os.listdir('/workspace') if f.isdigit()] == [str(os.getpid())])")
        #expect(seen.output == "True\n", "\(seen)")
    }

    @Test("paused before its first execution: what waited for that is no part of it")
    func paused() throws {
        let isolator = TestIsolator.pooled
        guard try isolator.status.features.contains("memory snapshots") else { return }
        let sandbox = try TestSandbox.ready(on: isolator)
        defer { try? sandbox.remove() }
        #expect(try sandbox.connect().pauseSandbox(sandbox.id, account: sandbox.account).phase == .paused)
        #expect(try sandbox.connect().resumeSandbox(sandbox.id, account: sandbox.account).phase == .running)
        let run = try sandbox.hidden(
            "import os; print([p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())])")
        #expect(run.output == "True\n", "\(run)")
    }

    @Test("an idle one soon has no process but its first")
    func idle() throws {
        let isolator = try TestIsolator(ready: 1)
        defer { isolator.stop() }
        let sandbox = try TestSandbox.ready(on: isolator)
        for _ in 0..<2 {
            #expect(try sandbox.awaitProgram(), "none waits")
            let deadline = MonotonicClock.now + 8_000_000_000
            while try !sandbox.programs().isEmpty, MonotonicClock.now < deadline { usleep(50_000) }
            #expect(try sandbox.programs().isEmpty)
            #expect(try sandbox.hidden("print(1)").output == "1\n")
        }
        try sandbox.remove()
    }

    @Test("1: kill -9 of the isolator: one that was taken lives on, one that only stood ready does not")
    func adoption() throws {
        let first = try TestIsolator(ready: 2)
        let sandbox = try TestSandbox.ready(on: first)
        #expect(try sandbox.python("open('kept','w').write('1'); print(1)").output == "1\n")
        // One whose first execution is still to come, with the interpreter that waits for it.
        let unused = try TestSandbox.ready(on: first)
        #expect(first.waitUntilReady())
        let groups = (try sandbox.group(), try unused.group())
        let before = first.sandboxes
        #expect(groups.0 != sandbox.id && before.isSuperset(of: [groups.0, groups.1]))
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        // Without a pool: everything that stood ready is to go.
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        #expect(second.sandboxes == [groups.0, groups.1])
        #expect(
            Set(try second.loopDevices())
                == Set([sandbox.id, unused.id].map { second.sandboxDirectory + "/\($0)/disk.ext4" }))
        for (id, kept) in [(sandbox.id, "True"), (unused.id, "False")] {
            let after = TestSandbox(adopted: id, on: second)
            #expect(try after.state.phase == .running)
            let run = try after.python(
                "import os; print(os.path.exists('kept'), len([p for p in os.listdir('/proc') if p.isdigit()]))")
            #expect(run.output == "\(kept) 1\n", "\(run)")
            _ = try after.connect().stopSandbox(id, account: after.account)
            #expect(try after.connect().startSandbox(id, account: after.account).phase == .running)
            try after.remove()
        }
        #expect(second.waitUntilClean())
        #expect(try second.loopDevices().isEmpty)
    }

    @Test("those whose first process was killed while they stood ready are given to nobody")
    func killed() throws {
        let isolator = try TestIsolator(ready: 2)
        defer { isolator.stop() }
        let sandbox = try TestSandbox.ready(on: isolator)
        let own = try sandbox.group()
        #expect(isolator.waitUntilReady())
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let pid = Int32(name),
                let group = try? String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8),
                group.contains("soulbox-\(isolator.instance)/sbx/"), group.contains("/init\n"), !group.contains(own)
            else { continue }
            kill(pid, SIGKILL)
        }
        usleep(300_000)
        for _ in 0..<3 {
            let next = try TestSandbox(on: isolator, limits: TestSandbox.standard)
            #expect(try next.python("print(1)").output == "1\n")
            try next.remove()
        }
        #expect(try sandbox.python("print(1)").output == "1\n")
        try sandbox.remove()
        #expect(isolator.waitUntilClean(seconds: 20))
    }

    @Test("at the end of the service nothing is left of those that stood ready")
    func end() throws {
        let isolator = try TestIsolator(ready: 2)
        let sandbox = try TestSandbox.ready(on: isolator)
        try sandbox.remove()
        isolator.process.signal(SIGTERM)
        isolator.process.waitForExit()
        #expect(isolator.sandboxes.isEmpty)
        #expect(try isolator.loopDevices().isEmpty)
        isolator.stop()
    }
}

extension TestSandbox {
    /// What the API gives one that asks for nothing.
    static let standard = SandboxLimits(
        memoryBytes: 512 << 20, cpuMillicores: 1000, processes: 512, diskBytes: 1 << 30)

    /// One that stood ready.
    static func ready(
        on isolator: TestIsolator = .pooled, memoryBytes: Int64 = standard.memoryBytes,
        cpuMillicores: Int = standard.cpuMillicores, processes: Int = standard.processes,
        network: SandboxNetwork = .none
    ) throws -> TestSandbox {
        let limits = SandboxLimits(
            memoryBytes: memoryBytes, cpuMillicores: cpuMillicores, processes: processes, diskBytes: standard.diskBytes)
        for _ in 0..<40 {
            let sandbox = try TestSandbox(on: isolator, limits: limits, network: network)
            // One made for the call has the call's name.
            if try sandbox.group() != sandbox.id { return sandbox }
            try sandbox.remove()
            usleep(200_000)
        }
        throw IsolationError(.unavailable, "none stood ready")
    }

    /// A program whose text has a hidden name, with the limits of the sandbox, as the API asks for one.
    func hiddenRequest(_ code: String) -> Run.Request {
        var request = Run.Request(code)
        request.sandbox = id
        request.file = ".\(request.identifier.suffix(12))-main.py"
        request.scratch = request.file
        request.limits = ExecutionLimits(
            timeoutMilliseconds: 20_000, memoryBytes: TestSandbox.standard.memoryBytes,
            processes: TestSandbox.standard.processes)
        return request
    }

    /// The groups of the programs in it.
    func programs() throws -> Set<String> {
        let group = try group()
        return Set(
            CgroupInspection.roots.flatMap { root in
                (try? FileManager.default.contentsOfDirectory(
                    atPath: "\(root)/soulbox-\(isolator.instance)/sbx/\(group)")) ?? []
            }.filter { $0.hasPrefix("x-") })
    }

    /// Waits until a program waits in it for the next execution, and has waited for a moment.
    func awaitProgram() throws -> Bool {
        let deadline = MonotonicClock.now + 3_000_000_000
        while try programs().isEmpty {
            guard MonotonicClock.now < deadline else { return false }
            usleep(10_000)
        }
        usleep(200_000)
        return true
    }

    func hidden(_ code: String) throws -> Run { try Run.run(hiddenRequest(code), on: isolator) }

    /// The name of its cgroup.
    func group() throws -> String {
        let run = try JSONParser.parse(try Files.read(isolator.sandboxDirectory + "/\(id)/run.json"))
        return run["group"]?.stringValue ?? ""
    }
}
