import NIOCore
import NIOWebSocket
import Testing

@testable import SoulBoxGateway

@Suite("Frames to messages (RFC 6455)")
struct MessageAssemblerTests {
    private func frame(
        _ opcode: WebSocketOpcode, _ bytes: [UInt8] = [], fin: Bool = true, rsv1: Bool = false, isMasked: Bool = true
    ) -> WebSocketFrame {
        var frame = WebSocketFrame(
            fin: fin, rsv1: rsv1, opcode: opcode, maskKey: isMasked ? [1, 2, 3, 4] : nil, data: ByteBuffer(bytes: bytes)
        )
        if let key = frame.maskKey { frame.data.webSocketMask(key) }
        return frame
    }

    private func answers(_ frames: [WebSocketFrame], bytes: Int = 16) -> [MessageAssembler.Action] {
        var assembler = MessageAssembler(messageBytes: bytes, controlFrames: 10)
        return frames.map { assembler.receive($0, now: 1) }
    }

    @Test("a message in pieces, with a ping between them, and half a character at the end of one")
    func pieces() {
        let euro = Array("€".utf8)
        let found = answers([
            frame(.text, Array(euro[..<1]), fin: false), frame(.ping, [9]), frame(.continuation, [], fin: false),
            frame(.continuation, Array(euro[1...])), frame(.text),
        ])
        #expect(found == [.nothing, .pong(ByteBuffer(bytes: [9])), .nothing, .message(euro), .message([])])
    }

    @Test("what breaks the protocol is told with its code")
    func violations() {
        func code(_ frames: WebSocketFrame..., bytes: Int = 16) -> UInt16? {
            guard case .close(let code, _) = answers(frames, bytes: bytes).last else { return nil }
            return code
        }
        #expect(code(frame(.text, isMasked: false)) == 1002)
        #expect(code(frame(.text, rsv1: true)) == 1002)
        #expect(code(frame(.continuation)) == 1002)
        #expect(code(frame(.text, fin: false), frame(.text)) == 1002)
        #expect(code(frame(.binary)) == 1003)
        #expect(code(frame(.text, [0xFF])) == 1007)
        #expect(code(frame(.text, [0xED, 0xA0, 0x80])) == 1007)
        #expect(code(frame(.text, Array(repeating: 65, count: 17))) == 1009)
        #expect(
            code(
                frame(.text, Array(repeating: 65, count: 9), fin: false),
                frame(.continuation, Array(repeating: 65, count: 8))) == 1009)
        for bad in [[3], [3, 236], [3, 237], [0, 1], [3, 232, 0xFF]] as [[UInt8]] {
            #expect([1002, 1007].contains(code(frame(.connectionClose, bad))), "\(bad)")
        }
    }

    @Test("fragments without end and control frames without end are bounded; time forgives")
    func floods() {
        var assembler = MessageAssembler(messageBytes: 16, controlFrames: 10)
        for _ in 0..<10 { #expect(assembler.receive(frame(.ping), now: 1) == .pong(ByteBuffer())) }
        guard case .close(1008, _) = assembler.receive(frame(.pong), now: 2) else {
            Issue.record("a flood was taken")
            return
        }
        #expect(assembler.receive(frame(.ping), now: 20_000_000_000) == .pong(ByteBuffer()))
        let empty = answers(
            [frame(.text, fin: false)] + Array(repeating: frame(.continuation, fin: false), count: 2000))
        #expect(empty.contains { if case .close(1009, _) = $0 { true } else { false } })
    }

    @Test("a close is answered with its own code, or with none")
    func closes() {
        #expect(answers([frame(.connectionClose)]) == [.echoClose(nil)])
        #expect(answers([frame(.connectionClose, [3, 232, 65])]) == [.echoClose(1000)])
        #expect(answers([frame(.connectionClose, [15, 160])]) == [.echoClose(4000)])
    }
}
