import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Snapshots of processes", .serialized, .enabled(if: Host.canIsolate))
struct MemorySnapshotTests {
    /// Starts a Python program in the background and waits until it has written `ready` into a file.
    private func start(_ code: String, in sandbox: TestSandbox) throws -> SandboxProcess {
        let connection = try sandbox.connect()
        let process = try connection.startProcess(
            arguments: ["python3", "-c", code], environment: [], directory: "/workspace", in: sandbox.id, account: sandbox.account)
        try wait(for: "ready", in: sandbox)
        return process
    }

    private func wait(for file: String, in sandbox: TestSandbox, seconds: UInt64 = 20) throws {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while (try? sandbox.connect().stat(file, in: sandbox.id, account: sandbox.account)) == nil {
            try #require(MonotonicClock.now < deadline, "\(file) was not written")
            usleep(10_000)
        }
    }

    @Test("A process goes on where it was: open files, pipes, threads, timers, a listening socket; the original too")
    func continues() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        _ = try start(
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
            """, in: sandbox)
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        #expect(snapshot.description.hasMemory && snapshot.description.pauseMicroseconds > 0)
        let copy = try snapshot.restore()
        defer { try? copy.remove() }
        for each in [copy, sandbox] {
            #expect(try each.state.phase == .running)
            #expect(try each.python("open('ask','w').close()").output == "")
            try wait(for: "answer", in: each)
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
}
