import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Synchronization
import Testing

/// One execution through an isolator, with everything that came of it.
struct Run: CustomStringConvertible {
    var stdout: [UInt8] = []
    var stderr: [UInt8] = []
    var compileOutput: [UInt8] = []
    var outcome: ExecutionOutcome?
    var error: IsolationError?
    var artifacts: [String: [UInt8]] = [:]
    var artifactSizes: [String: Int64] = [:]
    var milliseconds = 0.0

    var description: String {
        "\(output) \(errors) \(outcome.map { "\($0)" } ?? "no outcome") \(error.map { "\($0)" } ?? "")"
    }
    var output: String { String(decoding: stdout, as: UTF8.self) }
    var errors: String { String(decoding: stderr, as: UTF8.self) }
    var reason: TerminationReason? { outcome?.termination.reason }

    /// What to run.
    struct Request {
        var code: String
        /// The bytes of the code, where they are no text.
        var source: [UInt8]?
        var template = "basic-python"
        var file = "main.py"
        var entrypoint: String?
        var arguments: [String] = []
        var environment: [String: String] = [:]
        /// A timeout that no program meets which does what it is expected to.
        var limits = ExecutionLimits(timeoutMilliseconds: 20_000 * Host.patience)
        var stdin: String?
        var files: [String: [UInt8]] = [:]
        var identifier = Identifier.make(.execution)
        var account = "acct_test"
        var sandbox: String?
        /// What goes when the execution has ended.
        var scratch: String?
        var network = SandboxNetwork.none
        /// Bytes of each stream that are kept; the rest is read and dropped.
        var keep = 16 << 20

        init(_ code: String) { self.code = code }
    }

    static func python(_ code: String, on isolator: TestIsolator = .shared) throws -> Run {
        try run(Request(code), on: isolator)
    }

    /// Runs, and waits for the end. `started` is called with the connection once the program has been asked for.
    static func run(
        _ request: Request, on isolator: TestIsolator = .shared, started: (IsolationConnection) -> Void = { _ in }
    ) throws -> Run {
        var input = try SealedFile(name: "input")
        var files: [ExecuteCall.File] = []
        for (path, bytes) in [(request.file, request.source ?? Array(request.code.utf8))]
            + request.files.map({ ($0.key, $0.value) })
        {
            files.append(.init(path: path, offset: input.size, size: bytes.count))
            try input.append(bytes)
        }
        let sealed = try input.seal()
        let stdin = try request.stdin.map {
            SharedDescriptor(try SealedFile.make(name: "stdin", contents: Array($0.utf8)))
        }
        let pipes = try (0..<3).map { _ in try ReadingPipe(keeping: request.keep) }
        let connection = try IsolationConnection(path: isolator.socket)
        let begin = MonotonicClock.now
        let call = ExecuteCall(
            execution: request.identifier, account: request.account, sandbox: request.sandbox,
            scratch: request.scratch, template: request.template,
            entrypoint: request.entrypoint ?? (request.sandbox == nil ? nil : request.file),
            arguments: request.arguments, environment: request.environment.map { .init(name: $0.key, value: $0.value) },
            limits: request.limits, network: request.network, files: files, input: sealed.rawValue,
            stdin: stdin?.rawValue,
            stdout: pipes[0].writer, stderr: pipes[1].writer, compileOutput: pipes[2].writer)
        try withExtendedLifetime(stdin) { try connection.execute(call) }
        for pipe in pipes { pipe.start() }
        started(connection)
        var run = Run()
        // A service that hangs must fail the test, not stop it.
        let deadline = begin + UInt64(request.limits.timeoutMilliseconds + 120_000) * 1_000_000
        while run.outcome == nil && run.error == nil {
            guard let event = try connection.nextEvent() else {
                guard MonotonicClock.now < deadline else { throw IsolationError(.unavailable, "no end in time") }
                var entries = [PollEntry(descriptor: connection.pollDescriptor, events: .input)]
                try Poll.wait(&entries, timeout: 10_000)
                continue
            }
            switch event {
            case .finished(let outcome): run.outcome = outcome
            case .failed(let error): run.error = error
            case .artifacts(let handles):
                for handle in handles {
                    run.artifactSizes[handle.path] = handle.size
                    if let descriptor = handle.descriptor {
                        run.artifacts[handle.path] = try withExtendedLifetime(descriptor) {
                            try Files.read(from: descriptor.rawValue, count: Int(handle.size))
                        }
                    }
                }
            case .started(let streams):
                for (pipe, stream) in zip(pipes, streams) { pipe.start(with: stream) }
            default: break
            }
        }
        run.milliseconds = Double(MonotonicClock.now - begin) / 1_000_000
        run.stdout = pipes[0].finish()
        run.stderr = pipes[1].finish()
        run.compileOutput = pipes[2].finish()
        return run
    }
}
