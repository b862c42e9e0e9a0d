import Glibc
import IsolationProtocol
import LinuxKernel
import Logging
import SoulBoxExecution
import SoulBoxModel
import Synchronization
import Testing

private func manifest(isCompiled: Bool) throws -> ImageManifest {
    let compile: JSONValue = ["argv": ["cc"], "memory": 1, "timeout": 60, "disk": 1]
    return try ImageManifest(json: [
        "id": "basic-python", "name": "", "description": "", "runtime": "python", "runtime_version": "3",
        "version": "1",
        "base_image": "", "recipe_hash": "",
        "program": ["file": "main.py", "compile": isCompiled ? compile : .null, "run": ["argv": ["python3"]]],
    ])
}

/// What the isolator and the runner made of one execution.
private func run(
    _ isolator: FakeIsolator, isCompiled: Bool = false, limits: ExecutionRunner.Limits = .init(),
    clientDescriptor: CInt? = nil, spec: ExecutionSpec? = nil, started: () -> Bool = { true }
) throws -> ExecutionResult {
    let manifest = try manifest(isCompiled: isCompiled)
    let runner = ExecutionRunner(
        connections: IsolatorConnections(path: isolator.path),
        catalog: TemplateCatalog { () throws(IsolationError) in [manifest] }, limits: limits,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let spec = spec ?? ExecutionSpec(runtime: .python, template: "basic-python", code: "1")
    return runner.run(
        ExecutionRequest(
            id: "exec_1", account: "acct_1", spec: spec, createdAt: .now, clientDescriptor: clientDescriptor),
        started: started)
}

@Suite("Execution runner", .serialized)
struct ExecutionRunnerTests {
    @Test("hands over files, code, arguments, environment and input, and brings back output and measures")
    func wholeExecution() throws {
        let seen = Mutex<(call: ExecuteCall, input: [UInt8], stdin: [UInt8])?>(nil)
        let isolator = try FakeIsolator { stage in
            func contents(_ descriptor: CInt?) -> [UInt8] {
                var buffer = [UInt8](repeating: 0, count: 100)
                let count = read(descriptor ?? -1, &buffer, 100)
                return Array(buffer.prefix(max(count, 0)))
            }
            seen.withLock { $0 = (stage.call, contents(stage.call.input), contents(stage.call.stdin)) }
            stage.send(.queued(position: 2))
            stage.send(.started(streams: []))
            stage.print("out\u{0}put")
            stage.write(stage.call.stderr, Array("error".utf8))
            stage.finish(exitCode: 3)
        }
        defer { isolator.stop() }
        let spec = ExecutionSpec(
            runtime: .python, template: "basic-python", entrypoint: "a.py", code: "print",
            files: [InputFile(path: "a.py", contents: [1, 2]), InputFile(path: "empty", contents: [])],
            arguments: ["x"],
            environment: [.init(name: "A", value: "b")], stdin: "typed",
            limits: ExecutionLimits(timeoutMilliseconds: 5000, memoryBytes: 32 << 20, cpuMillicores: 500))
        let result = try run(isolator, spec: spec)
        let (call, input, stdin) = try #require(seen.withLock { $0 })
        #expect(
            call.files == [
                .init(path: "a.py", offset: 0, size: 2), .init(path: "empty", offset: 2, size: 0),
                .init(path: "main.py", offset: 2, size: 5),
            ])
        #expect(input == [1, 2] + Array("print".utf8))
        #expect(stdin == Array("typed".utf8))
        #expect(call.execution == "exec_1")
        #expect(call.account == "acct_1")
        #expect(call.entrypoint == "a.py")
        #expect(call.arguments == ["x"])
        #expect(call.environment == [.init(name: "A", value: "b")])
        #expect(call.limits == spec.limits)
        #expect(call.compileOutput == nil)
        #expect(result.refusal == nil)
        #expect(result.record.status == .completed)
        #expect(result.record.exitCode == 3)
        #expect(result.record.stdout == .init(bytes: Array("out\u{0}put".utf8)))
        #expect(result.record.stderr == .init(bytes: Array("error".utf8)))
        #expect(result.record.memoryPeakBytes == 4096)
        #expect(result.record.startedAt != nil)
        #expect(result.record.completedAt != nil)
    }

    @Test("keeps what the limit allows and lets the program go on")
    func truncates() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.write(stage.call.stdout, [UInt8](repeating: 7, count: 500_000))
            stage.finish()
        }
        defer { isolator.stop() }
        let result = try run(isolator, limits: .init(output: OutputLimits(kept: 1000, dropped: 1 << 20)))
        #expect(result.record.stdout == .init(bytes: [UInt8](repeating: 7, count: 1000), isTruncated: true))
        #expect(result.record.status == .completed)
    }

    @Test("output that floods ends the execution")
    func floods() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            while stage.isolator.terminations.withLock({ $0.isEmpty }) {
                stage.write(stage.call.stderr, [UInt8](repeating: 7, count: 10_000))
            }
            stage.finish(stage.awaitTermination() ?? .exited, exitCode: nil)
        }
        defer { isolator.stop() }
        let result = try run(isolator, limits: .init(output: OutputLimits(kept: 1000, dropped: 1 << 20)))
        #expect(result.record.termination?.reason == .outputLimit)
        #expect(result.record.status == .failed)
        #expect(result.record.stderr.bytes.count == 1000)
    }

    @Test("a client that goes away cancels the execution")
    func clientGone() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.finish(stage.awaitTermination() ?? .exited, exitCode: nil)
        }
        defer { isolator.stop() }
        let (ours, theirs) = try UnixSocket.pair(kind: .stream).shared()
        let client = Mutex<SharedDescriptor?>(theirs)
        WorkerThread.start(name: "client") {
            usleep(100_000)
            if let raw = client.withLock({ $0?.rawValue }) { shutdown(raw, CInt(SHUT_RDWR)) }
        }
        let result = try run(isolator, clientDescriptor: ours.rawValue)
        #expect(result.record.status == .cancelled)
    }

    @Test("one that was cancelled before it began is ended when it begins")
    func cancelledBefore() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.finish(stage.awaitTermination() ?? .exited, exitCode: nil)
        }
        defer { isolator.stop() }
        var calls = 0
        let result = try run(isolator) {
            calls += 1
            return false
        }
        #expect(calls == 1)
        #expect(result.record.status == .cancelled)
    }

    @Test("one that is over at once is not announced as running")
    func quick() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.finish()
        }
        defer { isolator.stop() }
        var calls = 0
        _ = try run(isolator) {
            calls += 1
            return true
        }
        #expect(calls == 0)
    }

    @Test("the answer does not wait for whoever still holds the output open")
    func heldOpen() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.print("before")
            stage.finish()
            // The descriptors live on in this closure's stage.
            usleep(3_000_000)
            withExtendedLifetime(stage) {}
        }
        defer { isolator.stop() }
        let begin = MonotonicClock.now
        let result = try run(isolator)
        #expect(MonotonicClock.now - begin < 1_000_000_000)
        #expect(result.record.stdout.bytes == Array("before".utf8))
    }

    @Test("compiling has its own output and result")
    func compiles() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.write(stage.call.compileOutput ?? -1, Array("error: no".utf8))
            let compile = StageOutcome(
                termination: Termination(reason: .exited), exitCode: 1, wallTimeMicroseconds: 77)
            stage.send(.compiled(compile))
            stage.send(.finished(ExecutionOutcome(termination: Termination(reason: .compileError), compile: compile)))
        }
        defer { isolator.stop() }
        let record = try run(isolator, isCompiled: true).record
        #expect(
            record.compile == .init(exitCode: 1, output: .init(bytes: Array("error: no".utf8)), timeMicroseconds: 77))
        #expect(record.status == .failed)
        #expect(record.exitCode == nil)
    }

    @Test("files that it left are read within the limits")
    func artifacts() throws {
        let isolator = try FakeIsolator { stage in
            func file(_ bytes: [UInt8]) -> SharedDescriptor? {
                do { return SharedDescriptor(try SealedFile.make(name: "file", contents: bytes)) } catch { return nil }
            }
            stage.send(.started(streams: []))
            stage.send(
                .artifacts([
                    ArtifactHandle(path: "a", size: 3, descriptor: file([1, 2, 3])),
                    ArtifactHandle(path: "big", size: 1 << 30, descriptor: nil),
                ]))
            stage.send(
                .artifacts([
                    ArtifactHandle(path: "b", size: 8, descriptor: file([UInt8](repeating: 1, count: 8))),
                    ArtifactHandle(path: "shrunk", size: 2, descriptor: file([1])),
                ]))
            stage.finish()
        }
        defer { isolator.stop() }
        let result = try run(isolator, limits: .init(artifacts: .init(each: 10, total: 10, count: 10)))
        #expect(
            result.artifacts == [
                Artifact(path: "a", size: 3, contents: [1, 2, 3]), Artifact(path: "big", size: 1 << 30, contents: nil),
                Artifact(path: "b", size: 8, contents: nil), Artifact(path: "shrunk", size: 2, contents: nil),
            ])
        #expect(result.record.artifacts.map(\.isStored) == [true, false, false, false])
    }

    @Test("a service that dies leaves the execution lost, one that never lived refuses it")
    func lost() throws {
        let isolator = try FakeIsolator { stage in
            stage.send(.started(streams: []))
            stage.print("half")
            usleep(50_000)
            shutdown(stage.connection.pollDescriptor, CInt(SHUT_RDWR))
        }
        let result = try run(isolator)
        #expect(result.refusal == nil)
        #expect(result.record.status == .failed)
        #expect(result.record.termination?.reason == .lost)
        #expect(result.record.stdout.bytes == Array("half".utf8))
        isolator.stop()
        usleep(100_000)
        let refused = try run(isolator)
        #expect(refused.refusal?.code == .unavailable)
        #expect(refused.record.termination?.reason == .lost)
    }

    @Test(
        "a refusal is told with its kind", arguments: [IsolationError.Code.busy, .isolationFailed, .templateNotFound])
    func refusals(code: IsolationError.Code) throws {
        let isolator = try FakeIsolator { $0.send(.failed(IsolationError(code, "x"))) }
        defer { isolator.stop() }
        let result = try run(isolator)
        #expect(result.refusal?.code == code)
        #expect(result.record.status == .failed)
    }

    @Test("connections are used again, and dropped when the service has gone")
    func reusesConnections() throws {
        let isolator = try FakeIsolator { $0.finish() }
        defer { isolator.stop() }
        let manifest = try manifest(isCompiled: false)
        let connections = IsolatorConnections(path: isolator.path)
        let runner = ExecutionRunner(
            connections: connections, catalog: TemplateCatalog { () throws(IsolationError) in [manifest] },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let spec = ExecutionSpec(runtime: .python, template: "basic-python", code: "1")
        let before = openInputs()
        for number in 0..<50 {
            let request = ExecutionRequest(id: "exec_\(number)", account: "a", spec: spec, createdAt: .now)
            #expect(runner.run(request, started: { true }).record.status == .completed)
        }
        #expect(isolator.connectionCount.withLock { $0 } == 1)
        usleep(100_000)
        #expect(openInputs() <= before)
    }

    /// How many memory files of inputs this process has open; other tests run beside this one, but make none.
    private func openInputs() -> Int {
        (0..<1024).count { number in
            var target = [UInt8](repeating: 0, count: 100)
            let count = target.withUnsafeMutableBytes { raw in
                raw.withMemoryRebound(to: CChar.self) { text in
                    text.baseAddress.map { readlink("/proc/self/fd/\(number)", $0, text.count) } ?? -1
                }
            }
            return count > 0 && target.starts(with: "/memfd:input".utf8)
        }
    }
}
