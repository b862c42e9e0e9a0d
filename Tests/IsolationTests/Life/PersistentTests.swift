import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Persistent sandboxes", .serialized, .enabled(if: Host.canIsolate))
struct PersistentTests {
    @Test("files last from one execution to the next, and over stop and start")
    func files() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        let first = try sandbox.python("open('/workspace/kept','w').write('x'*10); print(open('/sandbox/kept').read())")
        #expect(first.output == "xxxxxxxxxx\n", "\(first)")
        #expect(first.artifactSizes["kept"] == 10)
        #expect(try sandbox.python("print(open('kept').read())").output == "xxxxxxxxxx\n")
        #expect(try sandbox.connect().stopSandbox(sandbox.id, account: sandbox.account).phase == .stopped)
        let refused = try sandbox.python("print(1)")
        #expect(refused.error?.code == .sandboxNotRunning, "\(refused)")
        #expect(try sandbox.connect().startSandbox(sandbox.id, account: sandbox.account).phase == .running)
        let second = try sandbox.python("import os; s=os.stat('kept'); print(open('kept').read(), s.st_uid, s.st_gid)")
        #expect(second.output == "xxxxxxxxxx 1000 1000\n", "\(second)")
    }

    @Test("the disk has the size that was asked for, and its end is an error of its own")
    func diskLimit() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        let run = try sandbox.python(
            """
            import os
            n = 0
            with open('big', 'wb', 0) as f:
                for size in (65536, 4096, 1):
                    while True:
                        try: n += f.write(b'x' * size)
                        except OSError as e:
                            code = e.errno
                            break
                    os.fsync(f.fileno())
            print(code, n)
            raise SystemExit(1)
            """)
        let fields = run.output.split(whereSeparator: \.isWhitespace)
        #expect(fields.first == "28", "\(run)")
        let written = fields.last.flatMap { Int($0) } ?? 0
        // The filesystem's own tables and its journal take their part.
        #expect(written > (64 << 20) * 85 / 100 && written <= 64 << 20)
        #expect(run.reason == .diskLimit, "\(run)")
        let state = try sandbox.state
        #expect(state.diskUsed > 50 << 20)
        // Not even a program's text has room: the error says so. What is there can still be run.
        #expect(try sandbox.python("print(1)").error?.code == .noSpace)
    }

    @Test("40: the number of files has an end too")
    func inodeLimit() throws {
        let sandbox = try TestSandbox(
            limits: SandboxLimits(memoryBytes: 256 << 20, cpuMillicores: 1000, processes: 64, diskBytes: 16 << 20))
        defer { try? sandbox.remove() }
        let run = try sandbox.python(
            """
            n = 0
            try:
                while True:
                    open(f'f{n}', 'w').close(); n += 1
            except OSError as e: print(e.errno, n)
            """)
        let fields = run.output.split(whereSeparator: \.isWhitespace)
        #expect(fields.first == "28", "\(run)")
        #expect((fields.last.flatMap { Int($0) } ?? 0) < 1024)
    }

    @Test("executions beside each other have limits, output and ends of their own")
    func beside() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        let runs = Monitor<[String: Run]>([:])
        for name in ["a", "b", "slow"] {
            WorkerThread.start(name: name) {
                let code =
                    name == "slow" ? "while True: pass" : "import time; time.sleep(0.5); print('\(name)')"
                let run = try? sandbox.python(code, milliseconds: name == "slow" ? 300 : 10_000, file: "\(name).py")
                runs.update { $0[name] = run ?? Run() }
            }
        }
        let all = runs.wait(until: MonotonicClock.now + 20_000_000_000) { $0.count == 3 ? $0 : nil } ?? [:]
        #expect(all["a"]?.output == "a\n", "\(all)")
        #expect(all["b"]?.output == "b\n")
        #expect(all["slow"]?.reason == .timeout)
        let bomb = try sandbox.python("b=[]\nwhile True: b.append(bytearray(1<<20))")
        #expect(bomb.reason == .oom, "\(bomb)")
        #expect(try sandbox.python("print('alive')").output == "alive\n")
    }

    @Test("limits change while it runs; a disk grows and never shrinks")
    func update() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        var limits = TestSandbox.limits
        limits.memoryBytes = 128 << 20
        limits.cpuMillicores = 500
        let connection = try sandbox.connect()
        #expect(try connection.updateSandbox(sandbox.id, account: sandbox.account, limits: limits).limits == limits)
        limits.memoryBytes = 512 << 20
        #expect(try connection.updateSandbox(sandbox.id, account: sandbox.account, limits: limits).limits == limits)
        var request = sandbox.request("b = bytearray(300 << 20); print(len(b))")
        request.limits.memoryBytes = 512 << 20
        let large = try Run.run(request)
        #expect(large.output == "\(300 << 20)\n", "\(large)")
        limits.diskBytes = 32 << 20
        #expect(throws: IsolationError.self) {
            try connection.updateSandbox(sandbox.id, account: sandbox.account, limits: limits)
        }
        limits.diskBytes = 128 << 20
        do {
            _ = try connection.updateSandbox(sandbox.id, account: sandbox.account, limits: limits)
        } catch {
            // Without CAP_SYS_RESOURCE the kernel lets no mounted filesystem grow, and the error says so.
            #expect(error.code == .conflict, "\(error)")
            _ = try connection.stopSandbox(sandbox.id, account: sandbox.account)
            _ = try connection.updateSandbox(sandbox.id, account: sandbox.account, limits: limits)
            _ = try connection.startSandbox(sandbox.id, account: sandbox.account)
        }
        let run = try sandbox.python("open('big','wb').write(b'x' * (100 << 20)); print('written')")
        #expect(run.output == "written\n", "\(run)")
    }

    @Test("another account's sandbox is no sandbox")
    func accounts() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        var request = sandbox.request("print(1)")
        request.account = "acct_other"
        #expect(try Run.run(request).error?.code == .sandboxNotFound)
        #expect(throws: IsolationError(.sandboxNotFound, sandbox.id)) {
            try sandbox.connect().inspectSandbox(sandbox.id, account: "acct_other")
        }
        try sandbox.connect().removeSandbox(sandbox.id, account: "acct_other")
        #expect(try sandbox.state.phase == .running)
    }

    @Test("a removed sandbox leaves nothing, and 70: nobody finds what was in it")
    func removal() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        let run = try sandbox.python(
            """
            import os
            for d in ['/workspace', '/tmp', '/dev/shm', '/var/tmp']:
                open(d + '/marker-of-the-tenant', 'w').write('secret')
            print('left')
            """)
        #expect(run.output == "left\n", "\(run)")
        try sandbox.remove()
        #expect(isolator.sandboxes.isEmpty)
        #expect(isolator.sandboxFiles.isEmpty)
        #expect(LoopDevice.devices(of: isolator.sandboxDirectory + "/\(sandbox.id)/disk.ext4").isEmpty)
        #expect(throws: IsolationError.self) { try sandbox.state }
        let next = try TestSandbox(on: isolator)
        let search = try next.python(
            """
            import os
            print([os.path.join(d, f) for d, _, fs in os.walk('/') for f in fs if 'marker-of-the-tenant' in f])
            """)
        #expect(search.output == "[]\n", "\(search)")
        try next.remove()
        // Removing what is gone is no error.
        try next.remove()
    }
}
