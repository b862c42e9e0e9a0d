import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess

/// A real isolator, the release binary, with an instance of its own.
final class TestIsolator: Sendable {
    /// One for all suites that do not harm it: with sandboxes that stand ready, as in production
    /// (SOULBOX_TEST_READY_POOL=0: without).
    static let shared = ProcessInfo.processInfo.environment["SOULBOX_TEST_READY_POOL"] == "0" ? plain : pooled

    /// One with sandboxes that stand ready, and one that makes each when it is asked for.
    static let pooled = required(ready: 2)
    static let plain = required(ready: 0)

    private static func required(ready: Int) -> TestIsolator {
        do {
            return try TestIsolator(ready: ready)
        } catch {
            fatalError("the isolator did not start: \(error)")
        }
    }

    let instance: String
    let runDirectory: String
    let socket: String
    let process: TestProcess

    static var binaries: String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../.build/release").standardized
            .path
    }

    /// - Parameters:
    ///   - resolver: The server of names of its sandboxes' network; nil is the host's.
    ///   - ready: How many sandboxes it keeps ready of each image at least; 0 for a pool of none.
    ///   - readyMemory: The most memory that those may take.
    ///   - snapshotProcessSeconds: How long CRIU may take.
    ///   - prefix: A command that starts it, as `prlimit --nofile=160`.
    ///   - binaries: Where it and what it puts into sandboxes is.
    init(
        concurrent: Int = 8, queueWaitSeconds: Int = 10, instance: String? = nil,
        images: String = "/var/cache/soulbox/images", resolver: String? = nil, ready: Int = 0,
        readyMemory: Int = 4 << 30, snapshotProcessSeconds: Int = 600, prefix: [String] = [],
        binaries: String = TestIsolator.binaries
    ) throws {
        self.instance = instance ?? String((0..<8).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        runDirectory = "/run/soulbox/\(self.instance)"
        socket = runDirectory + "/isolator.sock"
        try FileManager.default.createDirectory(
            atPath: "/var/lib/soulbox", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: runDirectory, withIntermediateDirectories: true)
        let configuration = TestIsolator.configuration(
            instance: self.instance, runDirectory: runDirectory, concurrent: concurrent,
            queueWaitSeconds: queueWaitSeconds, images: images, resolver: resolver, ready: ready,
            readyMemory: readyMemory, snapshotProcessSeconds: snapshotProcessSeconds, binaries: binaries)
        let path = runDirectory + "/config.json"
        try configuration.write(toFile: path, atomically: true, encoding: .utf8)
        let log = runDirectory + "/isolator.log"
        let command = prefix + [binaries + "/soulbox-isolator", "--config", path]
        process = try TestProcess(command[0], Array(command.dropFirst()), log: log)
        let deadline = MonotonicClock.now + 10_000_000_000 * UInt64(Host.patience)
        while (try? IsolationConnection(path: socket).status()) == nil {
            guard process.isRunning, MonotonicClock.now < deadline else {
                let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log"
                process.signal(SIGKILL)
                process.waitForExit()
                try? FileManager.default.removeItem(atPath: runDirectory)
                throw IsolationError(.unavailable, said)
            }
            usleep(20_000)
        }
        TestIsolators.add(process, self.instance)
    }

    /// What an isolator of that instance is told.
    static func configuration(
        instance: String, runDirectory: String, concurrent: Int = 8, queueWaitSeconds: Int = 10,
        images: String = "/var/cache/soulbox/images", resolver: String? = nil, ready: Int = 0,
        readyMemory: Int = 4 << 30, snapshotProcessSeconds: Int = 600,
        binaries: String = TestIsolator.binaries
    ) -> String {
        let configuration: JSONValue = [
            "instance": .string(instance), "version": "test", "run_directory": .string(runDirectory),
            "image_directory": .string(images), "binary_directory": .string(binaries),
            "database_url": "", "isolator_socket": .string(runDirectory + "/isolator.sock"), "service_user": 65534,
            "service_group": 0,
            "executions": [
                "concurrent": JSONValue(concurrent), "queue_wait_seconds": JSONValue(queueWaitSeconds),
                "retention_days": 7, "artifact_each_bytes": 10_485_760, "artifact_total_bytes": 52_428_800,
                "output_limit_bytes": 1_048_576,
            ],
            "gateway": [
                "processes": 1, "connections": 1, "connections_per_key": 1, "executions": 1, "grace_seconds": 1,
                "drain_seconds": 1, "ping_seconds": 1, "silence_seconds": 2, "database_connections": 1,
            ],
            "ready_pool": [
                "enabled": .bool(ready > 0), "minimum": JSONValue(ready), "memory_bytes": JSONValue(readyMemory),
            ],
            "tokens": ["directory": "", "issuer": "", "audience": "", "key_file": ""], "document_path": "",
            "network": [
                "enabled": true, "egress_user": .integer(Int64(egressUser(of: instance))),
                "resolvers": .array(resolver.map { [.string($0)] } ?? []), "connections": 256,
                "new_connections_per_second": 200, "bytes_per_second": 100_000_000,
            ],
            "alerts": ["allow_private_webhooks": []], "reports": ["retention_months": 25],
            "snapshots": [
                "keep_days": 0, "keep_per_sandbox": 0, "process_seconds": JSONValue(snapshotProcessSeconds),
            ], "upload_limit_bytes": 104857600,
            "sandbox_directory": .string("/var/lib/soulbox/test-\(instance)"),
            "control_pool": ["processes": 1, "threads": 1, "database_connections": 1],
            "execution_pool": ["processes": 1, "threads": 1, "database_connections": 1],
        ]
        return configuration.text
    }

    /// The user of soulbox-egress.
    static func egressUser(of instance: String) -> UInt32 {
        0x0E00_0000 | (UInt32(instance, radix: 16) ?? 0) & 0x00FF_FFFF
    }

    /// The groups of sandboxes that exist now.
    var sandboxes: Set<String> {
        Set(
            CgroupInspection.roots.flatMap { root in
                ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/soulbox-\(instance)/sbx")) ?? []).filter
                {
                    name in
                    var isDirectory: ObjCBool = false
                    return FileManager.default.fileExists(
                        atPath: "\(root)/soulbox-\(instance)/sbx/\(name)", isDirectory: &isDirectory)
                        && isDirectory.boolValue
                }
            })
    }

    /// The loop devices of its sandboxes' disks, and the files that they stand for.
    func loopDevices() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/sys/block").compactMap { name in
            guard name.hasPrefix("loop"), let file = LoopDevice.file(behind: Int32(name.dropFirst(4)) ?? -1),
                file.contains("test-\(instance)/")
            else { return nil }
            return file
        }
    }

    /// The processes that run in its sandboxes, PID 1 of each left out.
    func processes() -> [(id: Int32, command: String)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
            guard let id = Int32(name),
                let group = try? String(contentsOfFile: "/proc/\(name)/cgroup", encoding: .utf8),
                group.contains("soulbox-\(instance)/sbx/"),
                let command = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8),
                !command.contains("init")
            else { return nil }
            return (id, command)
        }
    }

    /// Waits until no sandbox is left but those that stand ready.
    func waitUntilClean(seconds: Double = 30) -> Bool {
        wait(seconds) { sandboxes.count == (try? status.ready) }
    }

    /// Waits until that many sandboxes of each image stand ready.
    func waitUntilReady(_ count: Int = 2, seconds: Double = 30) -> Bool {
        wait(seconds) { (try? status.ready) ?? 0 >= count * TestIsolator.images }
    }

    /// Runs something until it ran in a sandbox that stood ready.
    func ready(_ run: () throws -> Run) throws -> Run {
        for _ in 0..<20 {
            _ = waitUntilReady()
            let before = try status.readyTaken
            let run = try run()
            if try status.readyTaken > before { return run }
            // One of its kind is made when nothing has run for a moment.
            usleep(60_000)
        }
        throw IsolationError(.unavailable, "none stood ready")
    }

    private func wait(_ seconds: Double, until isTrue: () -> Bool) -> Bool {
        let deadline = MonotonicClock.now + UInt64(seconds * Double(Host.patience) * 1_000_000_000)
        while MonotonicClock.now < deadline {
            if isTrue() { return true }
            usleep(20_000)
        }
        return isTrue()
    }

    /// How many images there are.
    static let images: Int = {
        let current = "/var/cache/soulbox/images/current/"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: current)) ?? []
        return names.count { FileManager.default.fileExists(atPath: current + $0 + "/manifest.json") }
    }()

    /// What it tells of itself.
    var status: IsolatorStatus { get throws { try IsolationConnection(path: socket).status() } }

    /// Where its persistent sandboxes are.
    var sandboxDirectory: String { "/var/lib/soulbox/test-\(instance)" }

    /// What is there of persistent sandboxes; the directory of snapshots is always there.
    var sandboxFiles: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: sandboxDirectory)) ?? []).filter { $0 != ".snapshots" }
    }

    /// Ends it as an operator would.
    func stop() {
        try? IsolationConnection(path: socket).stopAllSandboxes()
        process.signal(SIGTERM)
        process.waitForExit()
        try? FileManager.default.removeItem(atPath: runDirectory)
        try? FileManager.default.removeItem(atPath: sandboxDirectory)
    }
}
