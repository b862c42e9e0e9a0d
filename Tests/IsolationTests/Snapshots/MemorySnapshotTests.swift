import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

@testable import Isolation

@Suite("Snapshots of processes", .serialized, .enabled(if: Host.canIsolate))
struct MemorySnapshotTests {
    @Test("A process goes on where it was: open files, pipes, threads, timers, a listening socket; the original too")
    func continues() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        _ = try sandbox.startPython(
            """
            import os, socket, threading, time, signal
            ticks = 0
            def tick(*_):
                global ticks
                ticks += 1
            signal.signal(signal.SIGALRM, tick); signal.setitimer(signal.ITIMER_REAL, .05, .05)
            server = socket.create_server(("127.0.0.1", 7000))
            read, write = os.pipe(); os.write(write, b"held")
            kept = open("kept", "w+"); kept.write("before"); kept.flush()
            gone = open("gone", "w+"); gone.write("unlinked"); gone.flush(); os.unlink("gone")
            data = os.urandom(1 << 20)
            state = {"threads": 0}
            def count():
                while True:
                    state["threads"] += 1; time.sleep(.01)
            for _ in range(5): threading.Thread(target=count, daemon=True).start()
            open("ready", "w").close()
            while True:
                time.sleep(.02)
                if os.path.exists("ask"):
                    os.rename("ask", "asked")
                    before = state["threads"], ticks
                    time.sleep(.3)
                    kept.write(" after"); kept.flush(); gone.seek(0)
                    client = socket.create_connection(("127.0.0.1", 7000)); server.accept()
                    open("answer.new", "w").write(repr([
                        os.read(read, 4), gone.read(), state["threads"] > before[0], ticks > before[1],
                        threading.active_count(), len(data), open("kept").read()]))
                    os.rename("answer.new", "answer")
                    os.write(write, b"held")
            """)
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        #expect(snapshot.description.hasMemory && snapshot.description.pauseMicroseconds > 0)
        let copy = try snapshot.restore()
        defer { try? copy.remove() }
        for each in [copy, sandbox] {
            #expect(try each.state.phase == .running)
            #expect(try each.python("open('ask','w').close()").output == "")
            try each.waitForFile("answer")
            let answer = try each.python("print(open('answer').read())").output
            #expect(answer == "[b'held', 'unlinked', True, True, 6, 1048576, 'before after']\n")
            #expect(try each.state.processes == 1)
        }
        // A restored sandbox can be held again, and its copy too.
        let again = try TestSnapshot(of: copy, memory: true)
        let third = try again.restore()
        defer { try? third.remove() }
        #expect(try third.state.processes == 1)
        for each in [snapshot, again] { try each.remove() }
    }

    @Test(
        "Paused, it takes no memory and no process; resumed, it goes on where it was, also after kill -9 of the isolator"
    )
    func pause() throws {
        let first = try TestIsolator()
        let sandbox = try TestSandbox(on: first)
        _ = try sandbox.startPython(
            "import time, os\nn = 0\nopen('ready','w').close()\nwhile True:\n n += 1; open('n','w').write(str(n)); time.sleep(.01)"
        )
        #expect(try sandbox.connect().pauseSandbox(sandbox.id, account: sandbox.account).phase == .paused)
        #expect(first.processes().isEmpty && first.sandboxes.isEmpty)
        #expect(try sandbox.python("print(1)").error?.code == .sandboxNotRunning)
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        let after = TestSandbox(adopted: sandbox.id, on: second)
        #expect(try after.state.phase == .paused)
        #expect(try after.connect().resumeSandbox(after.id, account: after.account).phase == .running)
        let numbers = try after.python(
            "import time\na=int(open('n').read() or 0); time.sleep(.5); b=int(open('n').read() or 0); print(b > a > 1)")
        #expect(numbers.output == "True\n", "\(numbers)")
        try after.remove()
        #expect(second.waitUntilClean())
    }

    @Test("28: processes that cannot be held are told of with the reason, and go on")
    func refused() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        _ = try sandbox.startPython(
            """
            import socket, struct, time
            route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            route.send(struct.pack("IHHIIBxxxI", 24, 18, 0x301, 1, 0, 0, 0) + b"\\0" * 8)
            time.sleep(.1)
            open("ready", "w").close()
            while True:
                open("n", "w").write(str(time.monotonic_ns()))
                time.sleep(.02)
            """)
        let id = Identifier.make(.snapshot)
        let error = refusal { _ = try TestSnapshot(of: sandbox, memory: true, id: id) }
        #expect(
            error?.code == .notPossible && error?.message.contains("netlink") == true, "\(String(describing: error))")
        let numbers = try sandbox.python(
            "import time\na=open('n').read(); time.sleep(.3); print(a != open('n').read())")
        #expect(numbers.output == "True\n", "\(numbers)")
        let directory = sandbox.isolator.sandboxDirectory + "/.snapshots"
        #expect(try !FileManager.default.contentsOfDirectory(atPath: directory).contains { $0.contains(id) })
        // Its files can be held all the same.
        try TestSnapshot(of: sandbox).remove()
    }

    @Test(
        "29: without CRIU, or with one that does not start, files alone can be held, and the reason is told",
        arguments: [false, true])
    func unavailable(isThere: Bool) throws {
        let images = try TestImages()
        defer { images.remove() }
        if isThere {
            let programs = images.directory + "/tools/current/rootfs/usr/sbin"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            try "no program".write(toFile: programs + "/criu", atomically: true, encoding: .utf8)
        }
        let isolator = try TestIsolator(images: images.directory)
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        defer { try? sandbox.remove() }
        _ = try sandbox.python("open('kept', 'w').write('here')")
        let error = refusal { _ = try TestSnapshot(of: sandbox, memory: true) }
        #expect(
            error?.message.contains(isThere ? "CRIU does not start" : "soulbox image build tools") == true,
            "\(String(describing: error))")
        let snapshot = try TestSnapshot(of: sandbox)
        let copy = try snapshot.restore()
        defer { try? copy.remove() }
        #expect(try copy.python("print(open('kept').read())").output == "here\n")
        try snapshot.remove()
    }

    @Test("31: what another kernel, processor or CRIU has held is refused with the reason; its files can be restored")
    func elsewhere() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        _ = try sandbox.startPython(
            "import os, time\nheld = os.urandom(64 << 20)\nopen('ready','w').close()\ntime.sleep(1000)")
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        defer { try? snapshot.remove() }
        let path = snapshot.directory + "/manifest.json"
        let key = try SnapshotKey(path: sandbox.isolator.sandboxDirectory + "/.snapshots/.key")
        let own = try #require(key.open(try Files.read(path)))
        for member in ["kernel", "processor", "criu"] {
            var manifest = try #require(try JSONParser.parse(own).objectValue)
            var memory = try #require(manifest["memory"]?.objectValue)
            memory[member] = "other"
            manifest["memory"] = .object(memory)
            try Files.writeAtomically(path, key.sign(JSONValue.object(manifest).bytes), mode: 0o600)
            let error = refusal { _ = try snapshot.restore() }
            #expect(
                error?.code == .notPossible && error?.message.contains("files can be restored") == true, "\(member)")
            try snapshot.restore(memory: false).remove()
        }
        try Files.writeAtomically(path, key.sign(own), mode: 0o600)
        // Nor where there is less memory than they hold.
        var limits = TestSandbox.limits
        limits.memoryBytes = 32 << 20
        let error = refusal { _ = try snapshot.restore(limits: limits) }
        #expect(error?.code == .notPossible && error?.message.contains("hold") == true, "\(String(describing: error))")
        try snapshot.restore().remove()
    }

    @Test("32: 20 restores of one snapshot at once: 20 sandboxes, each with ids of its own")
    func parallel() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        _ = try sandbox.startPython("import time\nopen('ready','w').close()\ntime.sleep(1000)")
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        let made = Monitor<[TestSandbox?]>([])
        for _ in 0..<20 {
            WorkerThread.start(name: "restore") {
                let copy = try? snapshot.restore()
                made.update { $0.append(copy) }
            }
        }
        let all = made.wait(until: MonotonicClock.now + 60_000_000_000) { $0.count == 20 ? $0 : nil } ?? []
        let copies = all.compactMap { $0 }
        #expect(copies.count == 20)
        #expect(copies.allSatisfy { (try? $0.state.processes) == 1 })
        let maps = try Set(
            copies.map { copy -> Int64 in
                let run = try JSONParser.parse(try Files.read(copy.isolator.sandboxDirectory + "/\(copy.id)/run.json"))
                return try #require(run["base"]?.integerValue)
            })
        #expect(maps.count == 20)
        for copy in copies { try copy.remove() }
        try snapshot.remove()
    }

    @Test(
        "27: kill -9 of the isolator at any moment of a snapshot, a restore and a pause: all or nothing, and it goes on"
    )
    func kills() throws {
        var isolator = try TestIsolator()
        var sandbox = try TestSandbox(on: isolator)
        _ = try sandbox.startPython("import time\nopen('ready','w').close()\nwhile True: time.sleep(.01)")
        let kept = try TestSnapshot(of: sandbox, memory: true)
        for (number, milliseconds) in [5, 20, 40, 70, 100, 140, 190, 250].enumerated() {
            let work = number % 3
            let target = sandbox
            WorkerThread.start(name: "work") {
                switch work {
                case 0: _ = try? TestSnapshot(of: target, memory: true)
                case 1: _ = try? kept.restore(into: target)
                default: _ = try? target.connect().pauseSandbox(target.id, account: target.account)
                }
            }
            usleep(UInt32(milliseconds) * 1000)
            isolator.process.signal(SIGKILL)
            isolator.process.waitForExit()
            isolator = try TestIsolator(instance: isolator.instance)
            sandbox = TestSandbox(adopted: sandbox.id, on: isolator)
            let phase = try sandbox.state.phase
            #expect(phase == .running || (work == 2 && phase == .paused), "\(work) after \(milliseconds) ms: \(phase)")
            if phase == .paused { _ = try sandbox.connect().resumeSandbox(sandbox.id, account: sandbox.account) }
            #expect(try sandbox.state.processes == 1, "\(work) after \(milliseconds) ms")
            #expect(try sandbox.python("print(1)").output == "1\n", "\(work) after \(milliseconds) ms")
            // One that is there is whole, and nothing of another one is.
            for snapshot in try sandbox.connect().snapshots() {
                _ = try sandbox.connect().verifySnapshot(snapshot.id, account: sandbox.account)
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: isolator.sandboxDirectory + "/.snapshots")
            #expect(!files.contains { $0.hasPrefix(".new") }, "\(files)")
            #expect(isolator.sandboxes.count == 1, "\(isolator.sandboxes)")
        }
        try sandbox.remove()
        #expect(isolator.waitUntilClean())
        isolator.stop()
    }
}
