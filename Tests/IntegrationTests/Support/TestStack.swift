import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import TestProcess

/// A whole SoulBox of its own: PostgreSQL, isolator, workers, scheduler and nginx under `soulbox up`, on free ports and
/// in directories of its own, so that it runs beside any other.
final class TestStack: Sendable {
    /// One for all suites that do not harm it.
    static let shared: TestStack = {
        do {
            return try TestStack()
        } catch {
            fatalError("the stack did not start: \(error)")
        }
    }()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let home: String
    let port: Int
    let tlsPort: Int
    let key: String
    let supervisor: TestProcess
    /// The description of the API, as the stack made it of `docs/openapi.yaml`.
    let description: APIDescription
    /// The server that it was given; nil when it has one of its own.
    let database: String?

    static var binaries: String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../.build/release").standardized
            .path
    }

    /// Starts one, and waits until it is ready.
    ///
    /// - Parameters:
    ///   - configuration: Its `soulbox.yml`.
    ///   - database: The server that it gets; nil for one of its own.
    ///   - trusting: A file of certificates that it sees in the place of the host's.
    init(configuration: String? = nil, database: String? = nil, trusting certificates: String? = nil) throws {
        let home = "/tmp/soulbox-test-\(UUID().uuidString.prefix(8).lowercased())"
        self.home = home
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        if let configuration {
            try configuration.write(toFile: home + "/soulbox.yml", atomically: true, encoding: .utf8)
        }
        let ports = (try FreePort.find(), try FreePort.find())
        port = ports.0
        tlsPort = ports.1
        let log = home + "/supervisor.log"
        self.database = database
        let program = TestStack.binaries + "/soulbox"
        let command =
            certificates.map {
                let bundle = "/etc/ssl/certs/ca-certificates.crt"
                return [
                    "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                    "mount --bind '\($0)' \(bundle) && exec '\(program)' up",
                ]
            } ?? [program, "up"]
        supervisor = try TestProcess(
            command[0], Array(command.dropFirst()),
            environment: [
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOULBOX_HOME": home, "SOULBOX_HTTP_PORT": String(ports.0),
                "SOULBOX_HTTPS_PORT": String(ports.1), "DATABASE_URL": database ?? "",
            ], log: log)
        StackRegistry.add(supervisor, home: home)
        let deadline = Date().addingTimeInterval(90)
        while TestStack.state(home)?["ready"]?.boolValue != true {
            guard supervisor.isRunning, Date() < deadline else {
                throw Failure(description: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")
            }
            usleep(50_000)
        }
        let document = FileManager.default.contents(atPath: home + "/data/share/openapi.json") ?? Data()
        description = APIDescription(json: try JSONParser.parse(Array(document)))
        key = try TestStack.command(
            home,
            [
                "api-key", "create", "--name", "test", "--permissions", "all", "--rate-limit", "standard=0",
                "--rate-limit",
                "execution=0", "--rate-limit", "upload=0", "--quiet",
            ], environment: ["DATABASE_URL": database ?? ""]
        ).trimmingCharacters(in: .newlines)
    }

    private static func state(_ home: String) -> JSONValue? {
        guard let data = FileManager.default.contents(atPath: home + "/run/state.json") else { return nil }
        return try? JSONParser.parse(Array(data))
    }

    /// Runs a command of the operator's and gives what it prints.
    @discardableResult
    static func command(
        _ home: String, _ arguments: [String], environment: [String: String] = [:], expecting code: Int32 = 0
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: binaries + "/soulbox")
        process.arguments = arguments
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOULBOX_HOME": home].merging(environment) {
            $1
        }
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == code else { throw Failure(description: output) }
        return output
    }

    /// Runs a line of shell and gives what it prints.
    static func shell(_ line: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return output
    }

    /// Runs a command of the operator's on this stack.
    func command(_ arguments: String...) throws -> String { try TestStack.command(home, arguments) }

    /// The pids of the processes whose name begins so.
    func pids(_ name: String) -> [Int32] {
        (TestStack.state(home)?["processes"]?.arrayValue ?? []).compactMap { process in
            guard process["name"]?.stringValue?.hasPrefix(name) == true else { return nil }
            return process["pid"]?.integerValue.map { Int32($0) }
        }
    }

    /// Kills the processes whose name begins so, without warning.
    func kill(_ name: String) {
        for pid in pids(name) { _ = Glibc.kill(pid, SIGKILL) }
    }

    /// The instance's name, part of every resource's name.
    var instance: String {
        ((try? FileManager.default.destinationOfSymbolicLink(atPath: home + "/run")) ?? "").split(separator: "/").last
            .map(String.init) ?? ""
    }

    /// Ends it as an operator would, and removes what it left on disk.
    func stop() {
        supervisor.signal(SIGTERM)
        supervisor.waitForExit()
        StackRegistry.removeFiles(home)
    }
}
