internal import NIOCore
internal import NIOWebSocket
internal import SoulBoxModel

/// The sending side of a WebSocket connection.
struct Link: Sendable {
    let channel: any Channel

    /// The loop that everything about the connection happens on.
    var loop: any EventLoop { channel.eventLoop }

    /// Whether what is sent now goes out soon; what is sent in spite of false waits in memory.
    var isWritable: Bool { channel.isWritable && channel.isActive }

    /// Sends a message.
    func send(_ message: JSONValue) {
        let frame = WebSocketFrame(fin: true, opcode: .text, data: channel.allocator.buffer(bytes: message.bytes))
        channel.writeAndFlush(frame, promise: nil)
    }

    /// Reads no more until `resume()`: what the client sends waits on its side.
    func pause() { channel.setOption(.autoRead, value: false).whenFailure { _ in } }

    /// Reads again.
    func resume() { channel.setOption(.autoRead, value: true).whenFailure { _ in } }

    /// Asks for the connection to be closed with that code.
    func close(_ code: UInt16, _ reason: String) {
        channel.pipeline.fireUserInboundEventTriggered(CloseRequest(code: code, reason: reason))
    }
}

/// The connection is to be closed with that code.
struct CloseRequest: Sendable {
    let code: UInt16
    let reason: String
}

/// Nothing runs any more that the client waits for.
struct IdleEvent: Sendable {}

/// The process is to end: connections with nothing to do are closed at once, the others when they have nothing to do.
struct DrainRequest: Sendable {}
