import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Messages of io.soulbox.isolation")
struct MessageTests {
    private func makePair() throws -> (VarlinkConnection, VarlinkConnection) {
        let pair = try UnixSocket.pair(kind: .stream)
        let raw = try (Descriptor.duplicate(pair.first.rawValue), Descriptor.duplicate(pair.second.rawValue))
        return (
            VarlinkConnection(owning: Descriptor(owning: raw.0)), VarlinkConnection(owning: Descriptor(owning: raw.1))
        )
    }

    @Test("a call arrives as it was sent, descriptors at their fields")
    func call() throws {
        let (left, right) = try makePair()
        let input = try SealedFile.make(name: "input", contents: Array("abc".utf8))
        let pipe = try Pipe.make()
        let call = ExecuteCall(
            execution: "exec_1", account: "acct_1", template: "basic-python", arguments: ["a\nb", ""],
            environment: [.init(name: "A", value: "1")], files: [.init(path: "d/x.txt", offset: 0, size: 3)],
            input: input.rawValue, stdout: pipe.second.rawValue, stderr: pipe.second.rawValue)
        try left.send(["parameters": call.parameters], descriptors: call.descriptors)
        let message = try #require(try right.receive(wait: true))
        let received = try ExecuteParameters(message["parameters"], from: right)
        #expect(received.descriptors.count == 3)
        #expect(received.call.arguments == ["a\nb", ""])
        #expect(received.call.files == call.files)
        #expect(received.call.limits == call.limits)
        #expect(received.call.stdin == nil)
        let bytes = try withExtendedLifetime(received.descriptors) {
            try Files.read(from: try #require(received.call.input), count: 3)
        }
        #expect(bytes == Array("abc".utf8))
    }

    @Test("a call whose descriptors are out of order is refused")
    func outOfOrder() throws {
        let (left, right) = try makePair()
        let pipe = try Pipe.make()
        try left.send(["stdout": 1, "stderr": 0], descriptors: [pipe.second.rawValue, pipe.second.rawValue])
        let message = try right.receive(wait: true)
        #expect(throws: IsolationError.self) { try ExecuteParameters(message, from: right) }
    }

    @Test("every event arrives as it was sent")
    func events() throws {
        let (left, right) = try makePair()
        let stage = StageOutcome(termination: Termination(reason: .exited), exitCode: 1, wallTimeMicroseconds: 5)
        let outcome = ExecutionOutcome(
            termination: Termination(reason: .oom, signal: "SIGKILL", detail: "d"), wallTimeMicroseconds: 1,
            cpuTimeMicroseconds: 2, memoryPeakBytes: 3, queueTimeMicroseconds: 4, compile: stage)
        let file = SharedDescriptor(try SealedFile.make(name: "a", contents: [7]))
        let artifacts = [
            ArtifactHandle(path: "big", size: 1 << 40, descriptor: nil),
            ArtifactHandle(path: "a", size: 1, descriptor: file),
        ]
        for event in [
            ExecutionEvent.queued(position: 3), .started(streams: []), .compiled(stage), .artifacts(artifacts),
            .finished(outcome),
            .failed(IsolationError(.busy, "no capacity")),
        ] {
            let reply = event.reply
            try left.send(reply.message, descriptors: reply.descriptors)
            let message = try #require(try right.receive(wait: true))
            let received = try ExecutionEvent(reply: message, from: right)
            #expect(received.isLast == event.isLast)
            switch (event, received) {
            case (.queued(let a), .queued(let b)): #expect(a == b)
            case (.started, .started): break
            case (.compiled(let a), .compiled(let b)): #expect(a == b)
            case (.finished(let a), .finished(let b)): #expect(a == b)
            case (.failed(let a), .failed(let b)): #expect(a == b)
            case (.artifacts, .artifacts(let b)):
                #expect(b.map(\.path) == ["big", "a"] && b[0].descriptor == nil)
                let descriptor = try #require(b[1].descriptor)
                let bytes = try withExtendedLifetime(descriptor) { try Files.read(from: descriptor.rawValue, count: 2) }
                #expect(bytes == [7])
            default: Issue.record("\(event) arrived as \(received)")
            }
        }
    }

    @Test("the interface that is served is the interface file")
    func interface() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/IsolationProtocol/io.soulbox.isolation.varlink")
        #expect(try String(contentsOf: file, encoding: .utf8) == InterfaceDescription.text)
    }
}
