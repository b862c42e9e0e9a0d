import Foundation
import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import TestWorld
import Testing

/// Faults of the host, by the numbers of the fault table.
@Suite("Faults of the host", .serialized, .enabled(if: Host.canIsolate))
struct HostFaultTests {
    /// A command that denies one system call with ENOSYS to what it starts.
    private static func without(_ call: String) -> [String] {
        [
            "/usr/bin/python3", "-c",
            """
            import ctypes, os, sys
            s = ctypes.CDLL('libseccomp.so.2', use_errno=True)
            s.seccomp_init.restype = ctypes.c_void_p
            c = ctypes.c_void_p(s.seccomp_init(0x7fff0000))
            n = s.seccomp_syscall_resolve_name(sys.argv[1].encode())
            assert n >= 0 and s.seccomp_rule_add(c, 0x00050000 | 38, n, 0) == 0 and s.seccomp_load(c) == 0
            os.execv(sys.argv[2], sys.argv[2:])
            """, call,
        ]
    }

    @Test(
        "9: a kernel without a call that is needed is refused at start, by its name",
        arguments: ["clone3", "mount_setattr", "move_mount", "fsopen", "pidfd_open", "close_range"])
    func missingCall(call: String) throws {
        do {
            let isolator = try TestIsolator(prefix: HostFaultTests.without(call))
            Issue.record("it started without \(call)")
            isolator.stop()
        } catch let error as IsolationError {
            #expect(
                error.message.contains("this host cannot isolate") && error.message.contains("\(call)(2)"), "\(error)")
        }
    }

    @Test(
        "10: a full disk of the host refuses new sandboxes with a word, leaves nothing, and is forgotten when there is room"
    )
    func fullDisk() throws {
        let instance = String((0..<8).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        let directory = "/var/lib/soulbox/test-\(instance)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func mount(_ arguments: String...) throws {
            let status = try TestProcess("/usr/bin/mount", arguments).waitForExit(seconds: 10)
            #expect(status == .exited(0))
        }
        try mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", directory)
        defer { _ = try? TestProcess("/usr/bin/umount", ["-l", directory]).waitForExit(seconds: 10) }
        let isolator = try TestIsolator(instance: instance)
        defer { isolator.stop() }
        let error = #expect(throws: IsolationError.self) { try TestSandbox(on: isolator) }
        #expect(error?.code == .noSpace, "\(String(describing: error))")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).allSatisfy { $0.hasPrefix(".") })
        #expect(isolator.waitUntilClean())
        try mount("-o", "remount,size=2g", directory)
        let sandbox = try TestSandbox(on: isolator)
        #expect(try sandbox.python("print(1)").output == "1\n")
        try sandbox.remove()
    }

    @Test("11: no descriptors left: calls are refused or wait, none is leaked, and the service goes on")
    func descriptors() throws {
        let isolator = try TestIsolator(prefix: ["/usr/bin/prlimit", "--nofile=160"])
        defer { isolator.stop() }
        func count() -> Int {
            ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(isolator.process.pid)/fd")) ?? []).count
        }
        #expect(try Run.python("print(1)", on: isolator).output == "1\n")
        #expect(isolator.waitUntilClean())
        let before = count()
        do {
            let held = (0..<200).map { _ in try? UnixSocket.connect(to: isolator.socket, kind: .stream).release() }
            usleep(500_000)
            for raw in held { if let raw { close(raw) } }
        }
        let deadline = MonotonicClock.now + 20_000_000_000
        var output: String?
        while output != "1\n", MonotonicClock.now < deadline {
            output = try? Run.python("print(1)", on: isolator).output
        }
        #expect(output == "1\n")
        #expect(isolator.waitUntilClean())
        let end = MonotonicClock.now + 5_000_000_000
        while count() > before + 4, MonotonicClock.now < end { usleep(50_000) }
        #expect(count() <= before + 4, "\(before) → \(count())")
    }

    @Test("12: when the host has no memory left, programs of sandboxes go first")
    func hostMemory() throws {
        let run = try Run.python("print(open('/proc/self/oom_score_adj').read().strip())")
        #expect((Int(run.output.trimmingCharacters(in: .newlines)) ?? 0) >= 500, "\(run)")
        let own = try String(contentsOfFile: "/proc/\(TestIsolator.shared.process.pid)/oom_score_adj", encoding: .utf8)
        #expect((Int(own.trimmingCharacters(in: .newlines)) ?? 1000) < 500)
    }

    @Test("35: bombs in eight sandboxes at once: every limit holds, others run, nothing is left")
    func bombs() throws {
        let bombs = [
            "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
            "x = []\nwhile True: x.append(bytearray(1 << 20))",
            "f = open('f', 'wb')\nwhile True: f.write(b'x' * (1 << 20))",
            "while True: print('x' * 65536)",
        ]
        let ended = Monitor<[Run]>([])
        for bomb in bombs + bombs {
            WorkerThread.start(name: "bomb") {
                var request = Run.Request(bomb)
                request.limits.timeoutMilliseconds = 5000
                request.limits.memoryBytes = 64 << 20
                request.keep = 1 << 20
                let run = (try? Run.run(request)) ?? Run()
                ended.update { $0.append(run) }
            }
        }
        usleep(500_000)
        let other = try Run.python("print(1)", on: NetworkedIsolator.shared.isolator)
        #expect(other.output == "1\n" && other.milliseconds < 10_000, "\(other)")
        let runs = ended.wait(until: MonotonicClock.now + 60_000_000_000) { $0.count == 8 ? $0 : nil } ?? []
        #expect(runs.count == 8)
        for run in runs { #expect(run.reason != nil && run.reason != .lost, "\(run)") }
        #expect(TestIsolator.shared.waitUntilClean(seconds: 10))
    }

    @Test("37: far more at once than there is room for: some run, the others are told so, none hangs")
    func overload() throws {
        let isolator = try TestIsolator(concurrent: 2, queueWaitSeconds: 1)
        defer { isolator.stop() }
        let ended = Monitor<[Run]>([])
        for _ in 0..<100 {
            WorkerThread.start(name: "caller") {
                let run = (try? Run.python("import time; time.sleep(0.2); print(1)", on: isolator)) ?? Run()
                ended.update { $0.append(run) }
            }
        }
        let runs = ended.wait(until: MonotonicClock.now + 60_000_000_000) { $0.count == 100 ? $0 : nil } ?? []
        let (done, busy) = (runs.count { $0.output == "1\n" }, runs.count { $0.error?.code == .busy })
        #expect(done + busy == 100 && done >= 2 && busy >= 2, "\(done) ran, \(busy) were told to come again")
        #expect(isolator.waitUntilClean())
    }

    @Test("39: rules that cannot be loaded: no sandbox, no link, nothing half-made; and then it works again")
    func rulesRefused() throws {
        let network = try NetworkedIsolator()
        defer { network.stop() }
        let table = "soulbox_\(network.isolator.instance)"
        let first = try network.sandbox([])
        let run = try JSONParser.parse(
            try Files.read(network.isolator.sandboxDirectory + "/\(first.id)/run.json"))
        let slot = (UInt32(try #require(run["base"]?.integerValue)) - 0x1000_0000) / 65_536
        try first.remove()
        // Every other slot's place is taken, by a mark that is not its own.
        let elements = (slot / 1024 * 1024..<slot / 1024 * 1024 + 1024).map { number in
            "\"sb\(network.isolator.instance)-\(String(number, radix: 16))\" . 198.18.\(number >> 8).\(number & 255) : 0x1"
        }
        let file = network.isolator.runDirectory + "/planted.nft"
        try "add element inet \(table) marks { \(elements.joined(separator: ", ")) }\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try TestProcess("/usr/sbin/nft", ["-f", file]).waitForExit(seconds: 20) == .exited(0))
        let error = #expect(throws: IsolationError.self) { try network.sandbox(["\(TestWorld.good):8000"]) }
        #expect(
            error?.code == .isolationFailed && error?.message.contains("network") == true,
            "\(String(describing: error))")
        #expect(network.links.isEmpty)
        #expect(network.isolator.waitUntilClean())
        #expect(
            try TestProcess("/usr/sbin/nft", ["flush", "map", "inet", table, "marks"]).waitForExit(seconds: 20)
                == .exited(0))
        let second = try network.sandbox(["\(TestWorld.good):8000"])
        #expect(
            try second.network("print(reach('\(TestWorld.good)', 8000))").output == "hello from \(TestWorld.good)\n")
        try second.remove()
    }
}
