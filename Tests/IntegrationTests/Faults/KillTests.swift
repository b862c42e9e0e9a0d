import Foundation
import TestProcess
import SoulBoxModel
import Testing

/// Every process is killed under load: the service comes back by itself, nothing told is lost, nothing is left.
@Suite("Faults", .enabled(if: Host.canRunStack), .serialized)
struct KillTests {
    /// Load while a process dies: each answer is a result, or an error that says so; never a made-up success.
    private func load(_ stack: TestStack, during fault: @escaping @Sendable () async throws -> Void) async throws
        -> [String]
    {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<6 {
                group.addTask {
                    var finished: [String] = []
                    for number in 0..<12 {
                        let code = "import time\ntime.sleep(0.15)\nprint(\(worker * 100 + number))"
                        guard let answer = try? await stack.execute(["language": "python", "code": .string(code)])
                        else {
                            continue
                        }
                        guard answer.status == 200 else {
                            #expect(answer.status >= 500, "\(answer.text)")
                            #expect(answer.json["error"]?["code"] == "SYSTEM_ERROR", "\(answer.text)")
                            continue
                        }
                        if answer.json["status"] == "completed" {
                            #expect(answer.json["output"] == .string("\(worker * 100 + number)\n"))
                            if let id = answer.json["execution_id"]?.stringValue { finished.append(id) }
                        } else {
                            #expect(answer.json["termination"]?["reason"] == "lost", "\(answer.text)")
                        }
                    }
                    return finished
                }
            }
            try await Task.sleep(for: .milliseconds(600))
            try await fault()
            var all: [String] = []
            for try await finished in group { all += finished }
            return all
        }
    }

    @Test(
        "kill -9 under load: back within 5 s, finished results still there, nothing orphaned",
        arguments: ["worker-execution", "worker-control", "scheduler", "isolator", "postgres", "nginx"])
    func kill(process: String) async throws {
        let stack = TestStack.harmed
        let before = stack.pids(process)
        let finished = try await load(stack) { stack.kill(process) }
        #expect(try await isBack(stack, process, instead: before))
        for id in finished {
            let again = try await stack.send("GET", "/api/execute/\(id)")
            #expect(again.status == 200 && again.json["status"] == "completed", "\(again.text)")
        }
        #expect(try await stack.run("python", "print('alive')")["output"] == "alive\n")
        #expect(try await Sandboxes.inUse(of: stack.instance) == 0)
    }

    /// Whether, within five seconds, another process stands in for the killed one and programs run again.
    private func isBack(_ stack: TestStack, _ process: String, instead before: [Int32]) async throws -> Bool {
        let deadline = Date().addingTimeInterval(5)
        while Date() < deadline {
            let answer = try? await stack.execute(["language": "python", "code": "print(1)"])
            if answer?.status == 200, answer?.json["output"] == "1\n", stack.pids(process) != before,
                await stack.waitUntilHealthy(seconds: 1) != nil
            {
                return true
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test("an asynchronous execution whose scheduler dies ends as lost within 30 s, and is not run again")
    func lostScheduler() async throws {
        let stack = TestStack.harmed
        let answer = try await stack.execute([
            "language": "python", "code": "import time\ntime.sleep(40)\nprint('never')", "timeout": 60, "async": true,
        ])
        let id = try #require(answer.json["execution_id"]?.stringValue)
        let begin = Date()
        var result = JSONValue.null
        while result["status"] != "running", Date().timeIntervalSince(begin) < 10 {
            result = try await stack.send("GET", "/api/execute/\(id)").json
        }
        stack.kill("scheduler")
        while Date().timeIntervalSince(begin) < 30 {
            result = try await stack.send("GET", "/api/execute/\(id)").json
            if result["status"] == "failed" { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(result["status"] == "failed" && result["termination"]?["reason"] == "lost", "\(result.text)")
        #expect(try await Sandboxes.inUse(of: stack.instance) == 0)
    }

    @Test("two instances live side by side; the end of one harms no other")
    func twoInstances() async throws {
        let first = try TestStack()
        let second = TestStack.harmed
        #expect(first.instance != second.instance && first.port != second.port)
        let running = Task { try await second.run("python", "import time\ntime.sleep(3)\nprint('second')") }
        #expect(try await first.run("python", "print('first')")["output"] == "first\n")
        first.stop()
        #expect(try await running.value["output"] == "second\n")
        #expect(try await Sandboxes.inUse(of: first.instance) == 0)
    }

    @Test("a supervisor that is killed leaves nothing that its successor cannot clear away")
    func killedSupervisor() async throws {
        let stack = try TestStack()
        stack.supervisor.signal(SIGKILL)
        stack.supervisor.waitForExit()
        _ = try TestStack.command(stack.home, ["status"], expecting: 3)
        try await Task.sleep(for: .seconds(1))
        let ports = ["SOULBOX_HTTP_PORT": String(stack.port), "SOULBOX_HTTPS_PORT": String(stack.tlsPort)]
        _ = try TestStack.command(stack.home, ["up", "--detach"], environment: ports)
        #expect(await stack.waitUntilHealthy(seconds: 5) != nil)
        #expect(try await stack.run("python", "print('again')")["output"] == "again\n")
        _ = try TestStack.command(stack.home, ["down"])
        StackRegistry.removeFiles(stack.home)
    }
}
