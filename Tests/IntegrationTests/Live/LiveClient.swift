import Foundation
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// A client that is nothing of SoulBox's: a script in Python with the library `websockets`, or with bytes of its own making.
struct LiveClient {
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "clients").path
    private static let interpreter =
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../.build/tools/bin/python")
        .standardized.path

    /// Whether the tests can run here; `scripts/test` installs what they need.
    static let canRun: Bool = {
        guard Host.canRunStack else { return false }
        let isThere = FileManager.default.fileExists(atPath: interpreter) || Host.mustRun
        if !isThere { print("SKIPPED live connections: their client is not installed (scripts/test does that)") }
        return isThere
    }()

    private let process: TestProcess
    private let files: String

    /// Starts a function of a script.
    init(
        _ script: String, _ function: String, on stack: TestStack, key: String? = nil,
        _ options: [(String, JSONValue)] = []
    ) throws {
        let files = "\(stack.home)/client-\(UUID().uuidString)"
        let all = JSONValue.object(
            JSONObject(
                [
                    ("port", JSONValue(stack.port)), ("key", .string(key ?? stack.key)),
                    ("result", .string(files + ".json")), ("ready", .string(files + ".ready")),
                ] + options))
        process = try TestProcess(
            LiveClient.interpreter, ["\(LiveClient.scripts)/\(script).py", function, all.text],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1"], log: files + ".log")
        self.files = files
    }

    /// Runs a function of a script and gives what it returns.
    static func run(
        _ script: String, _ function: String, on stack: TestStack, key: String? = nil,
        _ options: [(String, JSONValue)] = [], seconds: Double = 60
    ) async throws -> JSONValue {
        try await LiveClient(script, function, on: stack, key: key, options).result(within: seconds)
    }

    /// Waits until the script says that it is ready.
    func untilReady(within seconds: Double = 30) async throws {
        let deadline = Date().addingTimeInterval(seconds)
        while !FileManager.default.fileExists(atPath: files + ".ready") {
            try #require(process.isRunning && Date() < deadline, "\(log)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits for its end; what it returns.
    func result(within seconds: Double = 60) async throws -> JSONValue {
        let deadline = Date().addingTimeInterval(seconds)
        while process.isRunning, Date() < deadline { try await Task.sleep(for: .milliseconds(20)) }
        if process.isRunning { process.signal(SIGKILL) }
        let status = process.waitForExit(seconds: 5)
        try #require(status == .exited(0), "\(status.map { "\($0)" } ?? "it runs still"): \(log)")
        return try JSONParser.parse(Array(try #require(FileManager.default.contents(atPath: files + ".json"))))
    }

    private var log: String { (try? String(contentsOfFile: files + ".log", encoding: .utf8)) ?? "" }
}

extension JSONValue {
    /// The elements of a list; none where it is no list.
    var items: [JSONValue] { arrayValue ?? [] }
    /// The text; empty where it is none.
    var string: String { stringValue ?? "" }
    /// The number; not a number where it is none.
    var double: Double { numberValue ?? .nan }
    /// The code of an error message.
    var code: String { self["error"]?["code"]?.stringValue ?? "" }
}
