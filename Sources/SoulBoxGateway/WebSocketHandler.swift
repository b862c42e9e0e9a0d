internal import LinuxKernel
internal import NIOCore
internal import NIOWebSocket

/// One WebSocket connection: frames to messages, pings, and an end in good order.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// How long a client may take to answer a close.
    private static let closeTime: TimeAmount = .seconds(2)

    private let limits: GatewayLimits
    private let conversation: any Conversation
    private var assembler: MessageAssembler
    private var isClosing = false
    private var isDraining = false
    private var lastSign = MonotonicClock.now
    private var pings: RepeatedTask?

    init(_ conversation: any Conversation, limits: GatewayLimits) {
        self.conversation = conversation
        self.limits = limits
        assembler = MessageAssembler(messageBytes: limits.messageBytes, controlFrames: limits.controlFrames)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let interval = TimeAmount.seconds(Int64(limits.pingSeconds))
        pings = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = this.value
            handler.ping(context)
        }
        conversation.opened()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastSign = MonotonicClock.now
        let frame = WebSocketHandler.unwrapInboundIn(data)
        guard !isClosing else {
            if frame.opcode == .connectionClose { context.close(promise: nil) }
            return
        }
        switch assembler.receive(frame, now: lastSign) {
        case .nothing: break
        case .message(let bytes): conversation.received(bytes)
        case .pong(let data):
            // Only the last of several pings needs an answer (RFC 6455, section 5.5.3).
            if context.channel.isWritable { write(.pong, data, context) }
        case .echoClose(let code):
            var data = context.channel.allocator.buffer(capacity: 2)
            if let code { data.writeInteger(code) }
            beginClose(data, context)
            context.close(promise: nil)
        case .close(let code, let reason): close(code, reason, context)
        }
        if isDraining, !isClosing { closeIfIdle(context) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Nothing follows a close (RFC 6455, section 5.5.1): what an answer was waiting for may end after it.
        guard !isClosing else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            lastSign = MonotonicClock.now
            if !isClosing { conversation.hasRoom() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        pings?.cancel()
        conversation.closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case .invalidFrameLength: close(1009, "the message is too large", context)
        case .some: close(1002, "malformed frame", context)
        case nil: context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let request as CloseRequest: close(request.code, request.reason, context)
        case is DrainRequest:
            isDraining = true
            closeIfIdle(context)
        case is RevokedEvent: close(1008, "the credential is good no more", context)
        case is IdleEvent: if isDraining { closeIfIdle(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func closeIfIdle(_ context: ChannelHandlerContext) {
        if !conversation.isBusy { close(1012, "the service is restarted", context) }
    }

    private func ping(_ context: ChannelHandlerContext) {
        // A client that has gone without a word, or that takes nothing any more.
        if MonotonicClock.now > lastSign + UInt64(limits.silenceSeconds) * 1_000_000_000 {
            return context.close(promise: nil)
        }
        guard !isClosing else { return }
        if isDraining { closeIfIdle(context) }
        if context.channel.isWritable { write(.ping, ByteBuffer(), context) }
    }

    private func close(_ code: UInt16, _ reason: String, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.writeInteger(code)
        data.writeString(reason)
        beginClose(data, context)
        // What the client still sends is read and thrown away: closing over it would take the reason back (RFC 9293, 3.6).
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        let channel = context.channel
        context.eventLoop.scheduleTask(in: WebSocketHandler.closeTime) { channel.close(promise: nil) }
    }

    /// Sends the close, the last frame. What the client followed waits for it to come back from here on.
    private func beginClose(_ data: ByteBuffer, _ context: ChannelHandlerContext) {
        isClosing = true
        write(.connectionClose, data, context)
        conversation.closed()
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(
            WebSocketHandler.wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }
}
