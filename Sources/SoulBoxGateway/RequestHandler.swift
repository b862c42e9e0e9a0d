internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import SoulBoxAPI
internal import SoulBoxModel

/// Answers requests that do not become a WebSocket: streams over HTTP, and refusals.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let services: Services
    private let door: Door
    private var head: HTTPRequestHead?
    private var stream: (any OutputStream)?

    init(_ services: Services, _ door: Door) {
        self.services = services
        self.door = door
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch RequestHandler.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // No request here has a body that anybody wants.
        case .body: break
        case .end:
            guard let head else { return context.close(promise: nil) }
            answer(head, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { stream?.hasRoom() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stream?.closed()
        stream = nil
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A stream is taken up again by whoever followed it.
        if event is DrainRequest || event is RevokedEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is wrong with an upgrade comes before the request itself, which is answered then.
        if head == nil, error is NIOWebSocketUpgradeError { return }
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let refused = door.refused {
            return StreamReply(channel: context.channel, call: refused.call).fail(refused.error)
        }
        let call = RequestHead.call(head)
        let reply = StreamReply(channel: context.channel, call: call)
        guard let endpoint = Endpoint(path: RequestHead.path(head)) else {
            return reply.fail(APIError(.resourceNotFound, "There is no such resource"))
        }
        guard head.method == .GET else {
            return reply.fail(
                APIError(
                    .validationError, status: 405, "Method not allowed",
                    details: JSONObject([("field", "method"), ("reason", "Allowed: GET")]),
                    headers: [.init("Allow", "GET")]))
        }
        switch endpoint {
        case .health: reply.text("ok\n")
        case .execute, .monitor, .terminal:
            reply.fail(
                APIError(
                    .validationError, status: 426, "This path speaks WebSocket (RFC 6455), version 13",
                    details: JSONObject([("field", "Upgrade"), ("reason", "Must be websocket")]),
                    headers: [.init("Upgrade", "websocket"), .init("Sec-WebSocket-Version", "13")]))
        case .events(let id):
            let stream = EventStream(reply, services, execution: id, call)
            self.stream = stream
            stream.start()
        case .logs(let sandbox, let process):
            let stream = LogStream(reply, services, sandbox: sandbox, process: process, call)
            self.stream = stream
            stream.start()
        }
    }
}

/// A stream over HTTP; for the connection's event loop.
protocol OutputStream: AnyObject {
    /// There is room for more.
    func hasRoom()
    /// The client is gone.
    func closed()
}
