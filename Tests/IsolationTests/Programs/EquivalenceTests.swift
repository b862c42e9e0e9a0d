import Foundation
import SoulBoxModel
import Testing

/// Programs run by an interpreter that waited for them behave, byte for byte, as by one that was started for them.
@Suite("Waiting interpreters are like any other", .serialized, .enabled(if: Host.canIsolate))
struct EquivalenceTests {
    /// A program of the corpus. Comments in it (`args:`, `env:`, `stdin:`) say what it is given.
    struct Program: CustomTestStringConvertible, Sendable {
        let language: String
        let path: String

        var testDescription: String { path }

        func request() throws -> Run.Request {
            let source = try Data(contentsOf: URL(filePath: EquivalenceTests.directory + "/\(language)/\(path)"))
            var request = Run.Request("")
            request.code = String(decoding: source, as: UTF8.self)
            // Some are not UTF-8 on purpose.
            request.source = Array(source)
            request.template = "basic-\(language)"
            request.file = "main.\(path.split(separator: ".").last ?? "")"
            for line in request.code.split(separator: "\n").prefix(3) {
                let words = line.split(separator: " ", omittingEmptySubsequences: true)
                guard words.count > 2, ["#", "//"].contains(words[0]) else { continue }
                let rest = words.dropFirst(2)
                switch words[1] {
                case "args:": request.arguments = rest.map(String.init)
                case "stdin:": request.stdin = rest.joined(separator: " ") + "\n"
                case "env:":
                    for pair in rest {
                        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        request.environment[String(parts[0])] = String(parts[1])
                    }
                default: break
                }
            }
            return request
        }
    }

    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().path

    private static func programs(_ language: String) -> [Program] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(language)")) ?? []).sorted().map {
            Program(language: language, path: $0)
        }
    }

    @Test("Python", arguments: programs("python"))
    func python(program: Program) async throws { try await compare(program) }

    @Test("Node.js", arguments: programs("nodejs"))
    func nodejs(program: Program) async throws { try await compare(program) }

    private func compare(_ program: Program) async throws {
        let request = try program.request()
        // Beside each other: most of the time goes into starts.
        let other = Task.detached { try Run.run(request, on: .plain) }
        let ready = try TestIsolator.pooled.ready { try Run.run(request, on: .pooled) }
        let plain = try await other.value
        #expect(comparable(plain.stdout) == comparable(ready.stdout), "\(plain.output)\n---\n\(ready.output)")
        #expect(comparable(plain.stderr) == comparable(ready.stderr), "\(plain.errors)\n---\n\(ready.errors)")
        #expect(plain.outcome?.exitCode == ready.outcome?.exitCode)
        #expect(plain.outcome?.termination == ready.outcome?.termination)
        #expect(plain.artifacts == ready.artifacts && plain.artifactSizes == ready.artifactSizes)
        // A program that hangs, or that is refused, compares nothing.
        #expect(plain.outcome != nil && plain.reason != .timeout, "\(plain)")
    }

    /// Output without addresses and durations, which differ every time. What is no text is compared byte for byte.
    private func comparable(_ bytes: [UInt8]) -> [UInt8] {
        guard let text = String(validating: bytes, as: UTF8.self) else { return bytes }
        return Array(text.replacing(/0x[0-9a-f]+/, with: "0x").replacing(/duration_ms:? [0-9.]+/, with: "").utf8)
    }

    @Test("17: Node.js: each has random numbers of its own")
    func random() throws {
        var request = Run.Request("console.log(Math.random(), require('crypto').randomUUID())")
        request.template = "basic-nodejs"
        request.file = "main.js"
        let runs = try (0..<3).map { _ in try TestIsolator.pooled.ready { try Run.run(request, on: .pooled) }.output }
        #expect(Set(runs.flatMap { $0.split(whereSeparator: \.isWhitespace) }).count == 6, "\(runs)")
    }

    @Test("there are programs to compare")
    func corpus() {
        #expect(EquivalenceTests.programs("python").count > 180 && EquivalenceTests.programs("nodejs").count > 130)
    }
}
