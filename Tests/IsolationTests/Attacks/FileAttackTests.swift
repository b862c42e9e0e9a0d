import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

/// Files of a sandbox, reached from outside while its programs do their worst.
@Suite("Attacks: files", .serialized, .enabled(if: Host.canIsolate))
struct FileAttackTests {
    private func read(_ connection: IsolationConnection, _ path: String, _ sandbox: TestSandbox) throws -> [UInt8]? {
        do throws(IsolationError) {
            let (entry, descriptor) = try connection.open(path, in: sandbox.id, account: sandbox.account)
            return try? withExtendedLifetime(descriptor) {
                try Files.read(from: descriptor.rawValue, count: Int(entry.size))
            }
        } catch {
            guard error.code == .notFound || error.code == .conflict || error.code == .invalidSpec else { throw error }
            return nil
        }
    }

    @Test("59: a directory that is swapped for a link while it is read, twenty thousand times")
    func swapRace() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        // What nobody may ever see: a file of the host's at a path that the link leads to.
        let name = "soulbox-marker-\(UUID().uuidString)"
        let marker = "/etc/" + name
        try Data("host".utf8).write(to: URL(filePath: marker))
        defer { try? FileManager.default.removeItem(atPath: marker) }
        let started = Monitor(false)
        let ended = Monitor<Run?>(nil)
        WorkerThread.start(name: "swapper") {
            let run = try? sandbox.python(
                """
                import ctypes, os, time
                libc = ctypes.CDLL(None)
                os.mkdir('d'); open('d/f', 'w').write('inside')
                os.symlink('/etc', 'l'); os.symlink('../../../../../../etc', 'm')
                open('go', 'w').close()
                end = time.time() + 40
                while time.time() < end and not os.path.exists('stop'):
                    for other in (b'l', b'm'):
                        for _ in range(200): libc.syscall(316, -100, b'd', -100, other, 2)
                """, milliseconds: 60_000)
            ended.update { $0 = run ?? Run() }
        }
        let connection = try IsolationConnection(path: sandbox.isolator.socket)
        let deadline = MonotonicClock.now + 10_000_000_000
        while try read(connection, "go", sandbox) == nil, MonotonicClock.now < deadline { usleep(5000) }
        started.update { $0 = true }
        var inside = 0
        for number in 0..<Host.repetitions(20_000) {
            if try read(connection, "d/f", sandbox) == Array("inside".utf8) { inside += 1 }
            #expect(try read(connection, "d/\(name)", sandbox) == nil)
            guard number % 200 == 0 else { continue }
            // Writing, listing, moving and removing must stay inside too.
            _ = try? connection.makeDirectory("d/\(name)-made", in: sandbox.id, account: sandbox.account)
            try? connection.remove("d/\(name)", recursive: true, in: sandbox.id, account: sandbox.account)
            _ = try? connection.move(
                "d/\(name)", to: "stolen", replacing: true, in: sandbox.id, account: sandbox.account)
            let listed = try? connection.list(
                "d", recursive: false, limit: 1000, in: sandbox.id, account: sandbox.account)
            #expect(listed?.entries.contains { $0.path.hasSuffix(name) } != true)
        }
        #expect(inside > 0)
        #expect(FileManager.default.contents(atPath: marker) == Data("host".utf8))
        #expect(!FileManager.default.fileExists(atPath: marker + "-made"))
        let stop = try connection.beginUpload(in: sandbox.id, account: sandbox.account)
        _ = stop
        _ = try connection.commitUpload("stop", in: sandbox.id, account: sandbox.account)
        _ = ended.wait(until: MonotonicClock.now + 30_000_000_000) { $0 }
    }

    @Test("61: FIFOs, sockets and links to devices hold nobody up")
    func specialFiles() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        let made = try sandbox.python(
            """
            import os, socket
            os.mkfifo('fifo'); os.symlink('fifo', 'link'); os.symlink('/dev/zero', 'zero'); os.symlink('/dev/tty', 'tty')
            socket.socket(socket.AF_UNIX).bind('socket')
            os.symlink('/proc/self/fd/0', 'magic'); os.symlink('/run/soulbox/control', 'control')
            print('made')
            """)
        #expect(made.output == "made\n", "\(made)")
        let connection = try IsolationConnection(path: sandbox.isolator.socket)
        let begin = MonotonicClock.now
        for _ in 0..<100 {
            for name in ["fifo", "link", "zero", "tty", "socket", "magic", "control"] {
                #expect(try read(connection, name, sandbox) == nil, "\(name)")
            }
        }
        #expect(MonotonicClock.now - begin < 5_000_000_000)
        let listed = try connection.list("", recursive: true, limit: 100, in: sandbox.id, account: sandbox.account)
        #expect(listed.entries.first { $0.path == "fifo" }?.kind == .other)
        #expect(listed.entries.first { $0.path == "zero" }?.kind == .link)
        // A link is removed, and not what it leads to.
        try connection.remove("zero", recursive: true, in: sandbox.id, account: sandbox.account)
        #expect(try sandbox.python("print(open('/dev/zero','rb').read(1))").output == "b'\\x00'\n")
    }

    @Test(
        "62: a second name of a file is never written through; 71: a lock on a file of the image is the sandbox's own")
    func links() throws {
        let first = try TestSandbox()
        let second = try TestSandbox()
        defer {
            try? first.remove()
            try? second.remove()
        }
        #expect(try first.python("import os\nopen('a','w').write('old'); os.link('a','b'); print(1)").output == "1\n")
        let connection = try IsolationConnection(path: first.isolator.socket)
        let file = try connection.beginUpload(in: first.id, account: first.account)
        try withExtendedLifetime(file) { try Files.write(to: file.rawValue, Array("new".utf8)) }
        _ = try connection.commitUpload("b", in: first.id, account: first.account)
        #expect(try first.python("print(open('a').read(), open('b').read())").output == "old new\n")
        let lock = """
            import fcntl, time
            f = open('/usr/bin/python3.11', 'rb')
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB); print('locked', flush=True)
            except OSError as e: print(e.errno)
            open('done', 'w').close()
            time.sleep(SECONDS)
            """
        let held = Monitor<Run?>(nil)
        WorkerThread.start(name: "holder") {
            let run = try? first.python(lock.replacing("SECONDS", with: "2"))
            held.update { $0 = run ?? Run() }
        }
        let deadline = MonotonicClock.now + 5_000_000_000
        while try read(connection, "done", first) == nil, MonotonicClock.now < deadline { usleep(5000) }
        #expect(try second.python(lock.replacing("SECONDS", with: "0")).output == "locked\n")
        #expect(held.wait(until: MonotonicClock.now + 10_000_000_000) { $0 }?.output == "locked\n")
    }

    @Test("42: deep and wide trees are removed without a crash")
    func pathBombs() throws {
        let sandbox = try TestSandbox(
            limits: SandboxLimits(memoryBytes: 256 << 20, cpuMillicores: 1000, processes: 64, diskBytes: 256 << 20))
        defer { try? sandbox.remove() }
        let made = try sandbox.python(
            """
            import os
            os.mkdir('deep'); os.chdir('deep')
            for _ in range(8000): os.mkdir('d' * 50); os.chdir('d' * 50)
            os.chdir('/workspace'); os.mkdir('wide')
            for n in range(5000): open(f'wide/{n}', 'w').close()
            print('made')
            """, milliseconds: 60_000)
        #expect(made.output == "made\n", "\(made)")
        let connection = try IsolationConnection(path: sandbox.isolator.socket)
        let listed = try connection.list("", recursive: true, limit: 20_000, in: sandbox.id, account: sandbox.account)
        #expect(listed.entries.count > 5000)
        for name in ["deep", "wide"] {
            try connection.remove(name, recursive: true, in: sandbox.id, account: sandbox.account)
        }
        let left = try connection.list("", recursive: false, limit: 10, in: sandbox.id, account: sandbox.account)
        #expect(left.entries.map(\.path) == ["main.py"])
    }
}
