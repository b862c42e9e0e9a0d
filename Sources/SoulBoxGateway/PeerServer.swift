internal import NIOCore
internal import NIOPosix
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel

/// Serves this process's executions to the other gateways, also while it ends.
struct PeerServer {
    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Listens at this process's place in the directory.
    func start() throws {
        let services = services
        _ = try ServerBootstrap(group: services.group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(PeerLines()))
                try channel.pipeline.syncOperations.addHandler(PeerSession(services))
            }
        }.bind(unixDomainSocketPath: services.peers.own, cleanupExistingSocketFile: true).wait()
    }
}

/// One execution, served to another gateway.
final class PeerSession: ChannelInboundHandler {
    typealias InboundIn = JSONObject

    private let services: Services
    private var follower: Follower?
    private var requestID = ""

    init(_ services: Services) { self.services = services }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = PeerSession.unwrapInboundIn(data)
        let channel = context.channel
        if let follower { return follow(line, follower, channel) }
        guard let request = PeerRequest(json: line),
            let live = services.hub.find(request.execution, account: request.account)
        else {
            channel.send(line: ["found": false])
            return context.close(promise: nil)
        }
        channel.send(line: ["found": true])
        let follower = Follower(live.id, requestID: request.requestID, loop: context.eventLoop, services: services) {
            channel.isWritable && channel.isActive
        } emit: { _, message, isLast in
            channel.send(line: .object(message))
            if isLast { channel.close(promise: nil) }
        }
        self.follower = follower
        requestID = request.requestID
        follower.follow(live, from: request.from, holding: request.holding)
    }

    private func follow(_ line: JSONObject, _ follower: Follower, _ channel: any Channel) {
        guard let controls = follower.controls else { return }
        switch line["order"]?.stringValue {
        case "input":
            // Told where it is known: the client would believe that its input was taken.
            guard !controls.give(line["data"]?.stringValue.flatMap(Base64.decode) ?? []) else { return }
            channel.send(line: LiveMessages.failure(InputMessage.refusal, requestID: requestID))
        case "close_input": controls.closeInput()
        case "signal":
            if let number = line["signal"]?.integerValue { _ = controls.order(.signal(Int32(clamping: number))) }
        case "resize":
            let rows = line["rows"]?.integerValue ?? 24
            let columns = line["columns"]?.integerValue ?? 80
            _ = controls.order(.resize(rows: UInt16(clamping: rows), columns: UInt16(clamping: columns)))
        case "cancel": controls.cancel()
        default: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { follower?.pump() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        follower?.leave()
        follower = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
