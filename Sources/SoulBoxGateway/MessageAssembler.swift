internal import NIOCore
internal import NIOWebSocket

/// Puts a client's frames together to messages, and holds the client to the protocol (RFC 6455, sections 5 to 7).
///
/// It decides; whoever holds the connection acts.
struct MessageAssembler {
    /// What is to be done about a frame.
    enum Action: Equatable {
        case nothing
        /// A whole message has come.
        case message([UInt8])
        /// Answer a ping.
        case pong(ByteBuffer)
        /// The client closes, and is told the same code.
        case echoClose(UInt16?)
        /// The client is told why, and then the connection is closed.
        case close(UInt16, String)
    }

    private static let controlWindow: UInt64 = 10_000_000_000
    private static let fragmentLimit = 1024

    private let messageBytes: Int
    private let controlFrames: Int
    private var fragments: ByteBuffer?
    private var fragmentCount = 0
    private var windowBegan: UInt64 = 0
    private var windowCount = 0

    init(messageBytes: Int, controlFrames: Int) {
        self.messageBytes = messageBytes
        self.controlFrames = controlFrames
    }

    /// Takes a frame.
    ///
    /// - Parameter now: Nanoseconds of the monotonic clock.
    mutating func receive(_ frame: WebSocketFrame, now: UInt64) -> Action {
        guard frame.maskKey != nil else { return .close(1002, "frames of a client are masked") }
        guard frame.reservedBits.isEmpty else { return .close(1002, "no extension was agreed on") }
        let data = frame.unmaskedData
        switch frame.opcode {
        case .text:
            guard fragments == nil else { return .close(1002, "a message within a message") }
            return take(data, isLast: frame.fin)
        case .continuation:
            guard fragments != nil else { return .close(1002, "nothing to continue") }
            return take(data, isLast: frame.fin)
        case .binary: return .close(1003, "messages are text")
        case .ping:
            guard countControl(now) else { return .close(1008, "too many control frames") }
            return .pong(data)
        case .pong: return countControl(now) ? .nothing : .close(1008, "too many control frames")
        case .connectionClose: return closing(data)
        default: return .close(1002, "unknown opcode")
        }
    }

    private mutating func take(_ data: ByteBuffer, isLast: Bool) -> Action {
        var whole = fragments ?? ByteBuffer()
        fragmentCount += 1
        guard whole.readableBytes + data.readableBytes <= messageBytes, fragmentCount <= MessageAssembler.fragmentLimit
        else { return .close(1009, "the message is too large") }
        whole.writeImmutableBuffer(data)
        guard isLast else {
            fragments = whole
            return .nothing
        }
        fragments = nil
        fragmentCount = 0
        let bytes = Array(whole.readableBytesView)
        guard MessageAssembler.isUTF8(bytes) else { return .close(1007, "the message is not UTF-8") }
        return .message(bytes)
    }

    private mutating func countControl(_ now: UInt64) -> Bool {
        if now >= windowBegan + MessageAssembler.controlWindow { (windowBegan, windowCount) = (now, 0) }
        windowCount += 1
        return windowCount <= controlFrames
    }

    private func closing(_ data: ByteBuffer) -> Action {
        var data = data
        guard data.readableBytes > 0 else { return .echoClose(nil) }
        guard let code = data.readInteger(as: UInt16.self), MessageAssembler.isCode(code) else {
            return .close(1002, "not a close code")
        }
        guard MessageAssembler.isUTF8(Array(data.readableBytesView)) else {
            return .close(1007, "the reason is not UTF-8")
        }
        return .echoClose(code)
    }

    /// Codes that may be sent (RFC 6455, section 7.4, and the registry of IANA).
    private static func isCode(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
