import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess

/// A real isolator, the release binary, with an instance of its own.
final class TestIsolator: Sendable {
    /// One for all suites that do not harm it.
    static let shared: TestIsolator = {
        do {
            return try TestIsolator()
        } catch {
            fatalError("the isolator did not start: \(error)")
        }
    }()

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
    ///   - readyPool: Whether it keeps sandboxes ready.
    ///   - prefix: A command that starts it, as `prlimit --nofile=160`.
    init(
        concurrent: Int = 8, queueWaitSeconds: Int = 10, instance: String? = nil,
        images: String = "/var/cache/soulbox/images", resolver: String? = nil, readyPool: Bool = false,
        prefix: [String] = []
    ) throws {
        self.instance = instance ?? String((0..<8).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        runDirectory = "/run/soulbox/\(self.instance)"
        socket = runDirectory + "/isolator.sock"
        try FileManager.default.createDirectory(
            atPath: "/var/lib/soulbox", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: runDirectory, withIntermediateDirectories: true)
        let configuration = TestIsolator.configuration(
            instance: self.instance, runDirectory: runDirectory, concurrent: concurrent,
            queueWaitSeconds: queueWaitSeconds, images: images, resolver: resolver, readyPool: readyPool)
        let path = runDirectory + "/config.json"
        try configuration.write(toFile: path, atomically: true, encoding: .utf8)
        let log = runDirectory + "/isolator.log"
        let command = prefix + [TestIsolator.binaries + "/soulbox-isolator", "--config", path]
        process = try TestProcess(command[0], Array(command.dropFirst()), log: log)
        let deadline = MonotonicClock.now + 10_000_000_000
        while (try? IsolationConnection(path: socket).status()) == nil {
            guard process.isRunning, MonotonicClock.now < deadline else {
                throw IsolationError(.unavailable, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")
            }
            usleep(20_000)
        }
        TestIsolators.add(process, self.instance)
    }

    /// What an isolator of that instance is told.
    static func configuration(
        instance: String, runDirectory: String, concurrent: Int = 8, queueWaitSeconds: Int = 10,
        images: String = "/var/cache/soulbox/images", resolver: String? = nil, readyPool: Bool = false
    ) -> String {
        let configuration: JSONValue = [
            "instance": .string(instance), "version": "test", "run_directory": .string(runDirectory),
            "image_directory": .string(images), "binary_directory": .string(TestIsolator.binaries),
            "database_url": "", "isolator_socket": .string(runDirectory + "/isolator.sock"), "service_user": 65534,
            "service_group": 0,
            "executions": [
                "concurrent": JSONValue(concurrent), "queue_wait_seconds": JSONValue(queueWaitSeconds),
                "retention_days": 7, "artifact_each_bytes": 10_485_760, "artifact_total_bytes": 52_428_800,
                "output_limit_bytes": 1_048_576,
            ],
            "ready_pool": ["enabled": .bool(readyPool), "minimum": 2, "memory_bytes": 1_073_741_824],
            "tokens": ["directory": "", "issuer": "", "audience": "", "key_file": ""], "document_path": "",
            "network": [
                "enabled": true, "egress_user": .integer(Int64(egressUser(of: instance))),
                "resolvers": .array(resolver.map { [.string($0)] } ?? []), "connections": 256,
                "new_connections_per_second": 200, "bytes_per_second": 100_000_000,
            ],
            "upload_limit_bytes": 104857600,
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
    var sandboxes: [String] {
        CgroupInspection.roots.flatMap { root in
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/soulbox-\(instance)/sbx")) ?? []).filter {
                name in
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(
                    atPath: "\(root)/soulbox-\(instance)/sbx/\(name)", isDirectory: &isDirectory)
                    && isDirectory.boolValue
            }
        }
    }

    /// Waits until no sandbox is left.
    func waitUntilClean(seconds: Double = 5) -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if sandboxes.isEmpty { return true }
            usleep(20_000)
        }
        return sandboxes.isEmpty
    }

    /// Where its persistent sandboxes are.
    var sandboxDirectory: String { "/var/lib/soulbox/test-\(instance)" }

    /// Ends it as an operator would.
    func stop() {
        try? IsolationConnection(path: socket).stopAllSandboxes()
        process.signal(SIGTERM)
        process.waitForExit()
        try? FileManager.default.removeItem(atPath: runDirectory)
        try? FileManager.default.removeItem(atPath: sandboxDirectory)
    }
}
