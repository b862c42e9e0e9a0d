internal import NIOCore
internal import NIOPosix
internal import SoulBoxExecution
internal import SoulBoxModel

/// An execution that another gateway carries out, followed over that one's socket.
final class PeerConnection: Controls {
    private static let patience: TimeAmount = .seconds(2)

    private let channel: any Channel
    private let handler: NIOLoopBound<PeerHandler>
    private let inputBytes: Int

    private init(_ channel: any Channel, _ handler: NIOLoopBound<PeerHandler>, inputBytes: Int) {
        self.channel = channel
        self.handler = handler
        self.inputBytes = inputBytes
    }

    /// Asks the other gateways, one after the other, whose execution it is; nil when it is none's.
    static func find(
        _ request: PeerRequest, services: Services, loop: any EventLoop
    ) -> EventLoopFuture<PeerConnection?> {
        services.pool.runIfActive(eventLoop: loop) { services.peers.others() }.flatMap { paths in
            ask(paths[...], request, loop, inputBytes: services.limits.live.inputBytes)
        }
    }

    private static func ask(
        _ paths: ArraySlice<String>, _ request: PeerRequest, _ loop: any EventLoop, inputBytes: Int
    ) -> EventLoopFuture<PeerConnection?> {
        guard let path = paths.first else { return loop.makeSucceededFuture(nil) }
        let answer = loop.makePromise(of: Bool.self)
        let limit = loop.scheduleTask(in: patience) { answer.succeed(false) }
        let handler = NIOLoopBound(PeerHandler(answer), eventLoop: loop)
        let connected = ClientBootstrap(group: loop).connectTimeout(patience).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(PeerLines()))
                try channel.pipeline.syncOperations.addHandler(handler.value)
            }
        }.connect(unixDomainSocketPath: path)
        // A gateway that was killed leaves its socket behind: nobody answers there.
        connected.whenFailure { _ in answer.succeed(false) }
        connected.whenSuccess { $0.send(line: request.json) }
        return answer.futureResult.flatMap { isFound in
            limit.cancel()
            return connected.map { Optional($0) }.recover { _ in nil }.flatMap { channel in
                guard let channel, isFound else {
                    channel?.close(promise: nil)
                    return ask(paths.dropFirst(), request, loop, inputBytes: inputBytes)
                }
                return loop.makeSucceededFuture(PeerConnection(channel, handler, inputBytes: inputBytes))
            }
        }
    }

    /// Receives from now on; on the event loop.
    func begin(receive: @escaping (JSONObject) -> Void, ended: @escaping () -> Void) {
        handler.value.begin(receive: receive, ended: ended)
    }

    func pause() { channel.setOption(.autoRead, value: false).whenFailure { _ in } }
    func resume() { channel.setOption(.autoRead, value: true).whenFailure { _ in } }
    func close() { channel.close(promise: nil) }

    func give(_ bytes: [UInt8]) -> Bool {
        // What the other process would not take, or what it has not taken yet.
        guard bytes.count <= inputBytes, channel.isWritable else { return false }
        channel.send(line: ["order": "input", "data": .string(Base64.encode(bytes))])
        return true
    }

    func closeInput() { channel.send(line: ["order": "close_input"]) }

    func order(_ order: LiveOrder) -> Bool {
        guard channel.isWritable else { return false }
        switch order {
        case .signal(let number): channel.send(line: ["order": "signal", "signal": JSONValue(Int(number))])
        case .resize(let rows, let columns):
            channel.send(line: ["order": "resize", "rows": JSONValue(Int(rows)), "columns": JSONValue(Int(columns))])
        }
        return true
    }

    func cancel() { channel.send(line: ["order": "cancel"]) }
}

/// The asking side's handler: the first line says whether the execution is there, the rest are messages.
final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = JSONObject

    private let answer: EventLoopPromise<Bool>
    private var isAnswered = false
    private var waiting: [JSONObject] = []
    private var receive: ((JSONObject) -> Void)?
    private var ended: (() -> Void)?
    private var hasEnded = false

    init(_ answer: EventLoopPromise<Bool>) { self.answer = answer }

    func begin(receive: @escaping (JSONObject) -> Void, ended: @escaping () -> Void) {
        self.receive = receive
        self.ended = ended
        for message in waiting { receive(message) }
        waiting = []
        if hasEnded { ended() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = PeerHandler.unwrapInboundIn(data)
        guard isAnswered else {
            isAnswered = true
            return answer.succeed(message["found"]?.boolValue ?? false)
        }
        if let receive { receive(message) } else { waiting.append(message) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isAnswered { answer.succeed(false) }
        isAnswered = true
        hasEnded = true
        ended?()
        (receive, ended) = (nil, nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
