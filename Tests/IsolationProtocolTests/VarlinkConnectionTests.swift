import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Varlink connection")
struct VarlinkConnectionTests {
    /// Two ends of one connection.
    private func makePair() throws -> (VarlinkConnection, VarlinkConnection) {
        let pair = try UnixSocket.pair(kind: .stream)
        let raw = try (Descriptor.duplicate(pair.first.rawValue), Descriptor.duplicate(pair.second.rawValue))
        return (
            VarlinkConnection(owning: Descriptor(owning: raw.0)), VarlinkConnection(owning: Descriptor(owning: raw.1))
        )
    }

    @Test("messages glued together come apart again")
    func glued() throws {
        let (left, right) = try makePair()
        for number in Int64(0)..<100 { try left.send(["number": .integer(number)]) }
        for number in Int64(0)..<100 { #expect(try right.receive(wait: true) == ["number": .integer(number)]) }
        #expect(try right.receive(wait: false) == nil)
    }

    @Test("each message takes the descriptors that it names")
    func descriptors() throws {
        let (left, right) = try makePair()
        let first = try SealedFile.make(name: "a", contents: Array("first".utf8))
        let second = try SealedFile.make(name: "b", contents: Array("second".utf8))
        try left.send(["m": 1], descriptors: [first.rawValue])
        try left.send(["m": 2])
        try left.send(["m": 3], descriptors: [second.rawValue, first.rawValue])
        _ = try right.receive(wait: true)
        let one = try right.takeDescriptors(1)
        _ = try right.receive(wait: true)
        _ = try right.receive(wait: true)
        let two = try right.takeDescriptors(2)
        // A descriptor closes with its last owner, which the optimizer may see before the read.
        let texts = try withExtendedLifetime((one, two)) {
            try (Files.read(from: one[0].rawValue, count: 10), Files.read(from: two[0].rawValue, count: 10))
        }
        #expect(texts.0 == Array("first".utf8) && texts.1 == Array("second".utf8))
    }

    @Test("a message that names more descriptors than came is a violation")
    func tooFew() throws {
        let (left, right) = try makePair()
        try left.send(["m": 1])
        _ = try right.receive(wait: true)
        #expect(throws: IsolationError.self) { try right.takeDescriptors(1) }
    }

    @Test("a descriptor that no message names is a violation")
    func leftOver() throws {
        let (left, right) = try makePair()
        let file = try SealedFile.make(name: "a", contents: [1])
        try left.send(["m": 1], descriptors: [file.rawValue, file.rawValue])
        _ = try right.receive(wait: true)
        #expect(throws: IsolationError.self) { try right.takeDescriptors(1) }
    }

    @Test("a message without end is refused and not kept")
    func tooLarge() throws {
        let (left, right) = try makePair()
        #expect(throws: IsolationError.self) {
            try left.send(["text": .string(String(repeating: "x", count: VarlinkConnection.maximumMessage))])
        }
        let chunk = [UInt8](repeating: UInt8(ascii: " "), count: 4096)
        var violation = false
        for _ in 0..<200 where !violation {
            try Files.write(to: left.pollDescriptor, chunk)
            do { _ = try right.receive(wait: false) } catch { violation = error.code == .protocolViolation }
        }
        #expect(violation)
    }

    @Test("a closed peer reads as the end")
    func ended() throws {
        let (left, right) = try makePair()
        try left.send(["m": 1])
        shutdown(left.pollDescriptor, CInt(SHUT_RDWR))
        #expect(try right.receive(wait: true) == ["m": 1])
        #expect(try right.receive(wait: true) == nil)
        #expect(right.isEnded)
    }
}
