import Foundation
import SoulBoxModel
import Testing

/// Processes killed while a snapshot is taken and restored over the API: faults 18, 27 and 33.
///
/// The isolation service is halted in the phase that is meant, and goes on when the others are dead.
@Suite("Snapshot faults", .enabled(if: Host.canRunStack), .serialized)
struct SnapshotFaultTests {
    private func until(_ what: String, seconds: Double = 20, _ condition: () throws -> Bool) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while try !condition() {
            try #require(Date() < deadline, "\(what)")
            usleep(500)
        }
    }

    private func sql(_ stack: TestStack, _ statement: String) throws -> String {
        try TestStack.shell(
            "psql --no-psqlrc -qAt 'host=/run/soulbox/\(stack.instance)/postgres user=postgres dbname=soulbox' "
                + "--command \"\(statement)\" 2>&1")
    }

    private func signal(_ stack: TestStack, _ number: CInt) {
        for pid in stack.pids("isolator") { _ = kill(pid, number) }
    }

    /// Halts the isolation service as soon as that directory is there.
    private func halt(_ stack: TestStack, at path: String) throws {
        try until("\(path) was not made") { FileManager.default.fileExists(atPath: path) }
        signal(stack, SIGSTOP)
    }

    /// Kills processes and waits for those that stand in for them.
    private func replace(_ stack: TestStack, _ names: String...) throws {
        for name in names {
            let before = stack.pids(name)
            stack.kill(name)
            try until("no other \(name)") {
                let now = stack.pids(name)
                return now.count == before.count && Set(now).isDisjoint(with: before)
            }
        }
    }

    /// As if the time had passed in which a dead process may still speak.
    private func passTime(_ stack: TestStack) throws {
        let statements =
            "UPDATE snapshots SET leased_until = now() WHERE leased_until > now(); "
            + "UPDATE sandboxes SET restore_until = now() WHERE restore_until > now()"
        #expect(try sql(stack, statements) == "")
    }

    /// Nothing half-made, and no sandbox that the database does not know.
    private func expectOrder(_ stack: TestStack, _ account: SnapshotAccount) async throws {
        let directory = stack.home + "/data/sandboxes"
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("sb_") }
        let listed = try await account.send("GET", "/api/sandboxes").json["sandboxes"]?.arrayValue ?? []
        #expect(Set(names) == Set(listed.compactMap { $0["sandbox_id"]?.stringValue }))
        for name in names { #expect(!FileManager.default.fileExists(atPath: "\(directory)/\(name)/next")) }
        let snapshots = try FileManager.default.contentsOfDirectory(atPath: directory + "/.snapshots")
        #expect(!snapshots.contains { $0.hasPrefix(".new") }, "\(snapshots)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/.snapshots/.work").isEmpty)
        #expect(try stack.command("snapshot", "list").split(separator: "\n").allSatisfy { $0.contains("completed") })
    }

    @Test("27: scheduler and worker killed in the middle of a snapshot and of restores: all or nothing, and told")
    func kills() async throws {
        let stack = try TestStack()
        defer { stack.stop() }
        defer { signal(stack, SIGCONT) }
        let account = try await SnapshotAccount(on: stack)
        let sandbox = try await account.makeSandbox([("resources", ["disk_limit": "384M", "memory_limit": "128M"])])
        _ = try await account.run(
            """
            import os
            with open('big', 'wb') as big:
                for _ in range(192): big.write(os.urandom(1 << 20))
            open('f', 'w').write('then')
            """, in: sandbox)
        let directory = stack.home + "/data/sandboxes"

        // The snapshot is whole all the same: whoever asks again for it is given it.
        let asked = try await account.send("POST", "/api/sandboxes/\(sandbox)/snapshots", ["name": "s"])
        let id = try #require(asked.json["snapshot_id"]?.stringValue, "\(asked.text)")
        try halt(stack, at: "\(directory)/.snapshots/.new-\(id)")
        try replace(stack, "scheduler")
        signal(stack, SIGCONT)
        try passTime(stack)
        let snapshot = try await account.end(of: id)
        #expect(snapshot["status"] == "completed", "\(snapshot.text)")
        #expect(try sql(stack, "SELECT attempts FROM snapshots") == "2\n")
        try await expectOrder(stack, account)
        _ = try await account.run("open('f', 'w').write('later')", in: sandbox)

        // A restore that is waited for loses its worker, and then the scheduler that took it over.
        let path = "/api/snapshots/\(id)/restore"
        let waiting = Task {
            try? await account.send("POST", path + "?wait=true", ["target_sandbox_id": .string(sandbox)])
        }
        try halt(stack, at: "\(directory)/\(sandbox)/next")
        #expect(try await account.send("DELETE", "/api/snapshots/\(id)").status == 409, "33")
        let owner = try sql(stack, "SELECT restore_owner FROM sandboxes")
        try replace(stack, "worker-control")
        let answer = await waiting.value
        #expect(answer.map { $0.status >= 500 } ?? true, "\(answer?.text ?? "")")
        try passTime(stack)
        try until("nobody took the restore over") { try sql(stack, "SELECT restore_owner FROM sandboxes") != owner }
        try replace(stack, "scheduler")
        signal(stack, SIGCONT)
        try passTime(stack)
        let restored = try await account.settled(sandbox)
        #expect(restored["status"] == "running" && restored["restore"]?["status"] == "completed", "\(restored.text)")
        #expect(try await account.run("print(open('f').read())", in: sandbox) == "then\n")
        try await expectOrder(stack, account)

        // One that cannot succeed: everybody who could say so dies, and it is told; the sandbox is what it was.
        _ = try await account.run("open('f', 'w').write('last')", in: sandbox)
        let disk = try #require(FileHandle(forUpdatingAtPath: "\(directory)/.snapshots/\(id)/disk.ext4"))
        try disk.seek(toOffset: 100 << 20)
        try disk.write(contentsOf: [1, 2, 3])
        try disk.close()
        let damaged = try await account.send("POST", path, ["target_sandbox_id": .string(sandbox)])
        #expect(damaged.status == 202, "\(damaged.text)")
        try halt(stack, at: "\(directory)/\(sandbox)/next")
        try replace(stack, "worker-control", "scheduler")
        signal(stack, SIGCONT)
        try passTime(stack)
        let failed = try await account.settled(sandbox)
        #expect(failed["status"] == "running" && failed["restore"]?["status"] == "failed", "\(failed.text)")
        #expect(failed["restore"]?["error"]?.stringValue?.contains("changed") == true, "\(failed.text)")
        #expect(try await account.run("print(open('f').read())", in: sandbox) == "last\n")
        try await expectOrder(stack, account)
    }
}
