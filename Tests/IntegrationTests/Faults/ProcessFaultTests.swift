import Foundation
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Processes that hang, restart or are sent nonsense: faults 19, 21 to 23 and 44, rows 101 and 104 of the attack table.
@Suite("Process faults", .enabled(if: Host.canRunStack), .serialized)
struct ProcessFaultTests {
    private func signal(_ stack: TestStack, _ name: String, _ number: CInt, first: Bool = false) {
        let pids = stack.pids(name)
        for pid in first ? Array(pids.prefix(1)) : pids { _ = Foundation.kill(pid, number) }
    }

    private func runMany(_ stack: TestStack, _ count: Int, seconds: Double = 0.3) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await stack.execute([
                        "language": "python", "code": .string("import time\ntime.sleep(\(seconds))\nprint('done')"),
                    ])
                }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
    }

    @Test("19: a worker that hangs holds up nobody who comes later")
    func stoppedWorker() async throws {
        let stack = TestStack.harmed
        signal(stack, "worker-execution", SIGSTOP, first: true)
        // A thread that is just waking up in accept(2) would still take a request along; nginx gives that one up in time.
        try await Task.sleep(for: .milliseconds(500))
        let answers = try await runMany(stack, 20)
        signal(stack, "worker-execution", SIGCONT, first: true)
        #expect(answers.allSatisfy { $0.status == 200 && $0.json["output"] == "done\n" })
    }

    @Test("23: an isolation service that hangs is told as degraded, and requests are told to come again")
    func stoppedIsolator() async throws {
        let stack = TestStack.harmed
        #expect(try await runMany(stack, 4).allSatisfy { $0.status == 200 })
        signal(stack, "isolator", SIGSTOP)
        defer { signal(stack, "isolator", SIGCONT) }
        #expect(try await stack.wait("container_manager", is: "unhealthy", seconds: 5) != nil)
        let health = try await stack.send("GET", "/api/health")
        #expect(health.status == 200 && health.json["status"] == "degraded", "\(health.text)")
        let component = health.json["components"]?.arrayValue?.first { $0["name"] == "container_manager" }
        #expect(component?["status"] == "unhealthy")
        let begin = Date()
        // By a worker that has a connection to the service from before, too.
        let answer = try await stack.execute(["language": "python", "code": "print(1)"])
        #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer.text)")
        #expect(Date().timeIntervalSince(begin) < 20)
        signal(stack, "isolator", SIGCONT)
        #expect(await stack.waitUntilHealthy(seconds: 5) != nil)
        #expect(try await stack.run("python", "print(1)")["output"] == "1\n")
    }

    @Test("21: a reload of nginx under load cuts nothing off")
    func reload() async throws {
        let stack = TestStack.harmed
        let answers = Task { try await runMany(stack, 30, seconds: 0.8) }
        for _ in 0..<3 {
            try await Task.sleep(for: .milliseconds(300))
            signal(stack, "nginx", SIGHUP)
        }
        #expect(try await answers.value.allSatisfy { $0.status == 200 && $0.json["output"] == "done\n" })
    }

    @Test("22: nonsense on a worker's socket is refused, and the worker lives")
    func nonsense() async throws {
        let stack = TestStack.shared
        let workers = stack.pids("worker-control")
        var generator = SystemRandomNumberGenerator()
        for round in 0..<60 {
            let socket = try UnixSocket.connect(to: stack.home + "/run/control.sock", kind: .stream)
            var bytes = (0..<Int.random(in: 1...70_000)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            if round % 3 == 0 {
                // A beginning that is right: BEGIN_REQUEST, then PARAMS with lengths that lie.
                bytes = [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0xff, 0xff, 0, 0]
                bytes += [0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0] + bytes
            }
            // The worker may close before everything is written.
            try? Files.write(to: socket.rawValue, bytes)
        }
        #expect(try await stack.send("GET", "/api/languages").status == 200)
        #expect(stack.pids("worker-control") == workers)
        let status = try Files.readString("/proc/\(try #require(workers.first))/status")
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }?.split(separator: " ").dropFirst()
            .first
        #expect(resident.flatMap { Int($0) } ?? .max < 80_000, "\(status)")
    }

    @Test("101: five hundred slow clients hold up nobody")
    func slowClients() async throws {
        let stack = TestStack.shared
        var slow: [Int32] = []
        defer { slow.forEach { close($0) } }
        for _ in 0..<500 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(stack.port)).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            #expect(result == 0)
            let head = Array("POST /api/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n".utf8)
            _ = head.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            slow.append(descriptor)
        }
        let answers = try await runMany(stack, 10, seconds: 0.1)
        #expect(answers.allSatisfy { $0.status == 200 })
    }

    @Test("104: a Proxy header reaches no environment; a log line holds what a client writes on one line")
    func headers() async throws {
        let stack = TestStack.shared
        let body: JSONValue = ["language": "python", "code": "import os\nprint(dict(os.environ))"]
        let answer = try await stack.execute(body, headers: ["Proxy": "http://evil.example"])
        #expect(answer.status == 200 && !answer.text.contains("evil"))
        let marker = UUID().uuidString
        _ = try await stack.send("GET", "/api/nothing%0a%7b%22level%22:%22x%22%7d-\(marker)")
        var lines: [Substring] = []
        for _ in 0..<30 where lines.isEmpty {
            try await Task.sleep(for: .milliseconds(100))
            lines = try TestStack.shell("grep -h -- '\(marker)' '\(stack.home)/data/log/access.log'").split(
                separator: "\n")
        }
        #expect(lines.count == 1 && lines.allSatisfy { (try? JSONParser.parse(Array($0.utf8))) != nil }, "\(lines)")
    }

    @Test("44: a stack that is told to end lets running programs end first")
    func drain() async throws {
        let stack = try TestStack()
        let answers = Task { try await runMany(stack, 8, seconds: 2) }
        try await Task.sleep(for: .seconds(1))
        stack.supervisor.signal(SIGTERM)
        let results = try await answers.value
        #expect(results.allSatisfy { $0.status == 200 && $0.json["output"] == "done\n" }, "\(results.map(\.text))")
        #expect(stack.supervisor.waitForExit(seconds: 40) == .exited(0))
        stack.stop()
    }
}
