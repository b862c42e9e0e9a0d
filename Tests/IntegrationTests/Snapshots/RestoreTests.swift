import Foundation
import SoulBoxModel
import Testing

@Suite("Restored and paused sandboxes", .enabled(if: Host.canRunStack), .serialized)
struct RestoreTests {
    @Test("a context answers after the restore with what it had at the snapshot, in the same and in new sandboxes")
    func memory() async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox([("network", ["enabled": false]), ("environment", ["A": "b"])])
        let made = try await account.send("POST", "/api/sandboxes/\(sandbox)/contexts", [:])
        let context = try #require(made.json["context_id"]?.stringValue, "\(made.text)")
        _ = try await account.run(
            "import random; random.seed(1); x = 41; open('f', 'w').write('then')", in: sandbox, context: context)
        let snapshot = try await account.takeSnapshot(of: sandbox, memory: true)
        #expect(snapshot["status"] == "completed", "\(snapshot.text)")
        let id = try #require(snapshot["snapshot_id"]?.stringValue)
        _ = try await account.run("x = 0; open('f', 'w').write('later')", in: sandbox, context: context)

        // The reference's own words, into the same sandbox.
        let answer = try await account.send(
            "POST", "/api/snapshots/\(id)/restore",
            [
                "target_sandbox_id": .string(sandbox),
                "restore_options": ["include_memory": true, "include_files": true, "preserve_network": false],
            ])
        #expect(answer.status == 202 && answer.json["sandbox_id"] == .string(sandbox), "\(answer.text)")
        #expect(answer.json["restore"]?["status"] == "restoring", "\(answer.text)")
        #expect(answer.headers["location"] == "/api/sandboxes/\(sandbox)")
        // An execution waits until the restored state is there.
        #expect(try await account.run("print(x + 1, open('f').read())", in: sandbox, context: context) == "42 then\n")
        let details = try await account.settled(sandbox)
        #expect(details["status"] == "running" && details["restore"]?["status"] == "completed", "\(details.text)")

        let copies = try await account.send(
            "POST", "/api/snapshots/\(id)/restore?wait=true", ["copies": 3, "name": "copy"])
        #expect(copies.status == 200, "\(copies.text)")
        let ids = copies.json["copies"]?.arrayValue?.compactMap { $0["sandbox_id"]?.stringValue } ?? []
        #expect(Set(ids).count == 3 && !ids.contains(sandbox), "\(copies.text)")
        var drawn: Set<String> = []
        for copy in ids {
            #expect(
                try await account.run("x += 1; print(x, open('f').read())", in: copy, context: context) == "42 then\n")
            drawn.insert(try await account.run("print(random.random())", in: copy, context: context))
            drawn.insert(try await account.run("import os; print(os.urandom(8))", in: copy, context: context))
        }
        // 69.
        #expect(drawn.count == 6, "copies are the same: \(drawn)")
        let first = try #require(ids.first)
        let copied = try await account.settled(first)
        #expect(copied["name"] == "copy" && copied["environment"]?["A"] == "b", "\(copied.text)")
        let events = try await account.send("GET", "/api/sandboxes/\(first)/events")
        #expect(events.text.contains("\"restored\"") && events.text.contains(id), "\(events.text)")
    }

    @Test("without memory the files alone are restored; what cannot be is refused and changes nothing")
    func files() async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox()
        _ = try await account.run("open('kept', 'w').write('1')", in: sandbox)
        let snapshot = try await account.takeSnapshot(of: sandbox, compress: true)
        let id = try #require(snapshot["snapshot_id"]?.stringValue, "\(snapshot.text)")
        let path = "/api/snapshots/\(id)/restore"
        let other = try await TemplateAccount()
        #expect(try await other.send("POST", path, [:]).status == 404)
        let foreign = try await other.send("POST", "/api/sandboxes?wait=true", ["runtime": "python"])
        let foreignID = try #require(foreign.json["sandbox_id"]?.stringValue)
        let refusals: [(JSONValue, Int)] = [
            (["restore_options": ["include_memory": true]], 422),
            (["restore_options": ["include_files": false]], 400),
            (["copies": 0], 400), (["copies": 2, "target_sandbox_id": .string(sandbox)], 400),
            (["target_sandbox_id": .string(foreignID)], 404), (["target_sandbox_id": "sb_x"], 404),
            (["other": 1], 400),
        ]
        for (body, status) in refusals {
            let answer = try await account.send("POST", path, body)
            #expect(answer.status == status, "\(body.text): \(answer.text)")
        }
        let small = try await account.send(
            "POST", "/api/sandboxes?wait=true", ["runtime": "python", "resources": ["disk_limit": "32M"]])
        let smallID = try #require(small.json["sandbox_id"]?.stringValue)
        #expect(
            try await account.send("POST", path, ["target_sandbox_id": .string(smallID)]).status == 409)

        let target = try await account.makeSandbox()
        #expect(try await account.send("POST", "/api/sandboxes/\(target)/stop").status == 200)
        let restored = try await account.send("POST", path + "?wait=true", ["target_sandbox_id": .string(target)])
        #expect(restored.status == 200 && restored.json["status"] == "running", "\(restored.text)")
        #expect(try await account.run("print(open('kept').read())", in: target) == "1\n")

        // The original goes, its snapshot stays, and a new sandbox is made like it.
        #expect(
            try await account.send("DELETE", "/api/sandboxes/\(sandbox)?force=true&keep_snapshots=true").status == 200)
        let new = try await account.send("POST", path + "?wait=true", [:])
        let newID = try #require(new.json["sandbox_id"]?.stringValue, "\(new.text)")
        #expect(new.json["resources"]?["disk_limit"] == "64M", "\(new.text)")
        #expect(try await account.run("print(open('kept').read())", in: newID) == "1\n")
    }

    @Test("32: many restores of one snapshot at once over the API: as many sandboxes, no two on one range of ids")
    func parallel() async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox()
        let snapshot = try await account.takeSnapshot(of: sandbox)
        let id = try #require(snapshot["snapshot_id"]?.stringValue, "\(snapshot.text)")
        let copies = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await account.send("POST", "/api/snapshots/\(id)/restore?wait=true", ["copies": 5])
                }
            }
            return try await group.reduce(into: [JSONValue]()) { $0 += $1.json["copies"]?.arrayValue ?? [] }
        }
        #expect(copies.count == 20 && copies.allSatisfy { $0["status"] == "running" }, "\(copies.map(\.text))")
        let ids = Set(copies.compactMap { $0["sandbox_id"]?.stringValue })
        let ranges = try ids.map { id in
            let run = account.account.stack.home + "/data/sandboxes/\(id)/run.json"
            return try JSONParser.parse(Array(FileManager.default.contents(atPath: run) ?? Data()))["base"]?
                .integerValue
        }
        #expect(ids.count == 20 && Set(ranges.compactMap(\.self)).count == 20, "\(ranges)")
        for id in ids { _ = try await account.send("DELETE", "/api/sandboxes/\(id)?force=true") }
    }

    @Test("a damaged snapshot leaves the target what it was, and the answer says so")
    func damage() async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox()
        _ = try await account.run("open('old', 'w').write('here')", in: sandbox)
        let snapshot = try await account.takeSnapshot(of: sandbox)
        let id = try #require(snapshot["snapshot_id"]?.stringValue, "\(snapshot.text)")
        let disk = account.account.stack.home + "/data/sandboxes/.snapshots/\(id)/disk.ext4"
        let file = try #require(FileHandle(forUpdatingAtPath: disk), "\(disk)")
        try file.seek(toOffset: 5_000_000)
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        let answer = try await account.send(
            "POST", "/api/snapshots/\(id)/restore?wait=true", ["target_sandbox_id": .string(sandbox)])
        #expect(answer.status == 422, "\(answer.text)")
        let details = try await account.settled(sandbox)
        #expect(details["status"] == "running" && details["restore"]?["status"] == "failed", "\(details.text)")
        #expect(try await account.run("print(open('old').read())", in: sandbox) == "here\n")
        let new = try await account.send("POST", "/api/snapshots/\(id)/restore", [:])
        let newID = try #require(new.json["sandbox_id"]?.stringValue, "\(new.text)")
        let failed = try await account.settled(newID)
        #expect(failed["status"] == "error" && failed["reason"]?.stringValue != nil, "\(failed.text)")
    }

    @Test("a paused sandbox uses no memory, runs nothing, and goes on where it was")
    func pause() async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox([("idle_timeout", 3600), ("on_idle", "pause")])
        let made = try await account.send("POST", "/api/sandboxes/\(sandbox)/contexts", [:])
        let context = try #require(made.json["context_id"]?.stringValue, "\(made.text)")
        _ = try await account.run("y = 7", in: sandbox, context: context)
        let paused = try await account.send("POST", "/api/sandboxes/\(sandbox)/pause")
        #expect(paused.status == 200 && paused.json["status"] == "paused", "\(paused.text)")
        #expect(paused.json["resources"]?["memory_used_bytes"]?.integerValue == 0, "\(paused.text)")
        let refused = try await account.send(
            "POST", "/api/execute", ["language": "python", "code": "1", "sandbox_id": .string(sandbox)])
        #expect(refused.status == 409 && refused.text.contains("paused"), "\(refused.text)")
        #expect(try await account.send("POST", "/api/sandboxes/\(sandbox)/pause").status == 200)
        let resumed = try await account.send("POST", "/api/sandboxes/\(sandbox)/resume")
        #expect(resumed.status == 200 && resumed.json["status"] == "running", "\(resumed.text)")
        #expect(try await account.run("print(y)", in: sandbox, context: context) == "7\n")

        // By itself when nothing happens in it; DELETE of a paused one is quick.
        let change = try await account.send("PUT", "/api/sandboxes/\(sandbox)", ["idle_timeout": 1])
        #expect(change.status == 200, "\(change.text)")
        let deadline = Date().addingTimeInterval(20)
        var status: JSONValue?
        repeat {
            try await Task.sleep(for: .milliseconds(200))
            status = try await account.send("GET", "/api/sandboxes?status=paused").json["sandboxes"]?.arrayValue?
                .first?["sandbox_id"]
        } while status == nil && Date() < deadline
        #expect(status == .string(sandbox))
        let events = try await account.send("GET", "/api/sandboxes/\(sandbox)/events")
        #expect(events.text.contains("idle_timeout"), "\(events.text)")
        #expect(try await account.send("DELETE", "/api/sandboxes/\(sandbox)").status == 200)
    }

    private struct Program: Sendable, CustomTestStringConvertible {
        let runtime: String
        let file: String
        let command: [String]
        let code: String
        var testDescription: String { runtime }
    }

    /// What programs hold that a snapshot has to hold too; each prints a line as long as all of that goes on.
    private static let programs = [
        Program(
            runtime: "python", file: "p.py", command: ["python3", "p.py"],
            code: """
                import ctypes, mmap, os, select, socket, threading, time
                from multiprocessing import shared_memory
                libc = ctypes.CDLL(None)
                watch = libc.inotify_init1(0)
                os.makedirs("watched", exist_ok=True)
                libc.inotify_add_watch(watch, b"watched", 0x100)
                memory = os.memfd_create("m")
                os.ftruncate(memory, 4096)
                mapped = mmap.mmap(memory, 4096)
                shared = shared_memory.SharedMemory(create=True, size=4096)
                near, far = socket.socketpair()
                waiting = select.epoll()
                waiting.register(near, select.EPOLLIN)
                counts = [0] * 50
                def count(number):
                    while True:
                        counts[number] += 1
                        time.sleep(0.1)
                for number in range(50):
                    threading.Thread(target=count, args=(number,), daemon=True).start()
                if os.fork() == 0:
                    while True:
                        far.send(b"x")
                        time.sleep(0.1)
                turn = 0
                while True:
                    turn += 1
                    open("watched/%d" % turn, "w").close()
                    os.read(watch, 4096)
                    for _ in waiting.poll():
                        near.recv(100)
                    mapped[0:8] = turn.to_bytes(8, "little")
                    shared.buf[0] = turn % 250
                    before = min(counts)
                    while min(counts) == before:
                        time.sleep(0.02)
                    assert int.from_bytes(os.pread(memory, 8, 0), "little") == turn and shared.buf[0] == turn % 250
                    print("event", turn, flush=True)
                """),
        Program(
            runtime: "nodejs", file: "p.js", command: ["node", "p.js"],
            code: """
                const http = require('http'), fs = require('fs');
                let turn = 0;
                fs.watch('.', () => {});
                http.createServer((request, response) => response.end('x')).listen(8000);
                setInterval(() => http.get('http://127.0.0.1:8000/', response => {
                    response.resume();
                    response.on('end', () => console.log('event', ++turn));
                }).on('error', () => {}), 200);
                """),
        Program(
            runtime: "java", file: "Main.java", command: ["java", "Main.java"],
            code: """
                public class Main {
                    public static void main(String[] arguments) throws Exception {
                        var pool = java.util.concurrent.Executors.newFixedThreadPool(4);
                        for (int turn = 1;; turn++) {
                            final int now = turn;
                            pool.submit(() -> System.out.println("event " + now)).get();
                            Thread.sleep(200);
                        }
                    }
                }
                """),
    ]

    @Test("programs with all that they hold go on in a copy, and in the original", arguments: programs)
    private func goesOn(_ program: Program) async throws {
        let account = try await SnapshotAccount()
        let sandbox = try await account.makeSandbox([
            ("runtime", .string(program.runtime)), ("resources", ["disk_limit": "64M", "memory_limit": "512M"]),
        ])
        let file = try await account.account.stack.send(
            "PUT", "/api/sandboxes/\(sandbox)/files/\(program.file)", body: Array(program.code.utf8),
            headers: ["X-Account-ID": account.account.id, "Content-Type": "application/octet-stream"])
        #expect(file.status < 300, "\(file.text)")
        let started = try await account.send(
            "POST", "/api/sandboxes/\(sandbox)/processes",
            ["argv": .array(program.command.map(JSONValue.string))])
        let pid = try #require(started.json["pid"]?.integerValue, "\(started.text)")
        let before = try await turns(pid, sandbox, account, beyond: 2)
        let snapshot = try await account.takeSnapshot(of: sandbox, memory: true)
        #expect(snapshot["status"] == "completed", "\(snapshot.text)")
        let id = try #require(snapshot["snapshot_id"]?.stringValue)
        let copy = try await account.send("POST", "/api/snapshots/\(id)/restore?wait=true", [:])
        let copyID = try #require(copy.json["sandbox_id"]?.stringValue, "\(copy.text)")
        for place in [copyID, sandbox] {
            let now = try await turns(pid, place, account, beyond: before)
            _ = try await turns(pid, place, account, beyond: now + 2)
            #expect(try await account.send("DELETE", "/api/sandboxes/\(place)?force=true").status == 200)
        }
    }

    /// How far a program has come, when it is further than that.
    private func turns(
        _ pid: Int64, _ sandbox: String, _ account: SnapshotAccount, beyond: Int
    ) async throws -> Int {
        let deadline = Date().addingTimeInterval(30)
        var count = 0
        while Date() < deadline {
            let logs = try await account.send("GET", "/api/sandboxes/\(sandbox)/processes/\(pid)/logs")
            count = logs.text.components(separatedBy: "event").count - 1
            if count > beyond { return count }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the program in \(sandbox) does not go on after \(count)")
        return count
    }
}
