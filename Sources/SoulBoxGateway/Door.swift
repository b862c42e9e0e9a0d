internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import SoulBoxAPI
internal import SoulBoxModel
internal import SoulBoxStore
internal import Synchronization

/// Decides who comes in over one connection, before it becomes a WebSocket.
final class Door: Sendable {
    /// Who came in.
    struct Guest: Sendable {
        let endpoint: Endpoint
        let call: LiveCall
        let caller: Caller
    }

    private struct State {
        var guest: Guest?
        var refused: (call: LiveCall, error: APIError)?
    }

    private let services: Services
    private let state = Mutex(State())

    init(_ services: Services) { self.services = services }

    /// What was refused and why; nil when nothing was.
    var refused: (call: LiveCall, error: APIError)? { state.withLock { $0.refused } }

    /// What turns connections into WebSockets.
    var upgrader: NIOWebSocketServerUpgrader {
        NIOWebSocketServerUpgrader(
            maxFrameSize: services.limits.messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { [self] channel, head in admit(channel, head) },
            upgradePipelineHandler: { [self] channel, _ in
                channel.eventLoop.makeCompletedFuture { try open(channel) }
            })
    }

    private func admit(_ channel: any Channel, _ head: HTTPRequestHead) -> EventLoopFuture<HTTPHeaders?> {
        let call = RequestHead.call(head)
        let nobody: EventLoopFuture<HTTPHeaders?> = channel.eventLoop.makeSucceededFuture(nil)
        guard let endpoint = Endpoint(path: RequestHead.path(head)), endpoint.isWebSocket else {
            refuse(call, APIError(.resourceNotFound, "There is no such resource"))
            return nobody
        }
        // Another method is answered like one without an upgrade.
        guard head.method == .GET else { return nobody }
        // RFC 6455, section 4.1: 16 bytes in base64.
        guard let nonce = head.headers.first(name: "Sec-WebSocket-Key"), Base64.decode(nonce)?.count == 16 else {
            refuse(call, .malformed("Sec-WebSocket-Key", "Must be 16 bytes in base64"))
            return nobody
        }
        let services = services
        return services.call(on: channel.eventLoop) { () throws(APIError) -> Caller in
            let caller = try services.api.admit(call, endpoint.permission)
            if case .terminal(let sandbox) = endpoint { try services.api.checkSandbox(sandbox, caller) }
            return caller
        }.map { [self] result in
            switch result {
            case .failure(let error): refuse(call, error)
            case .success(let caller):
                guard channel.isActive, services.seats.take(caller, call.credential, channel) else {
                    refuse(call, .tooManyConnections)
                    return nil
                }
                state.withLock { $0.guest = Guest(endpoint: endpoint, call: call, caller: caller) }
                var headers = HTTPHeaders()
                if let rate = call.rateField { headers.add(name: rate.name, value: rate.value) }
                if let chosen = call.bearerProtocol { headers.add(name: "Sec-WebSocket-Protocol", value: chosen) }
                return headers
            }
            return nil
        }
    }

    private func open(_ channel: any Channel) throws {
        guard let guest = state.withLock({ $0.guest }) else { throw ChannelError.inappropriateOperationForState }
        let link = Link(channel: channel)
        let metrics = services.metrics
        metrics.opened(guest.endpoint)
        channel.closeFuture.whenComplete { _ in metrics.closed(guest.endpoint) }
        let conversation: any Conversation =
            switch guest.endpoint {
            case .terminal(let sandbox):
                TerminalConversation(link, sandbox: sandbox, guest.call, guest.caller, services)
            case .monitor: MonitorConversation(link, guest.call, guest.caller, services)
            default: ExecuteConversation(link, guest.call, guest.caller, services)
            }
        try channel.pipeline.syncOperations.addHandler(WebSocketHandler(conversation, limits: services.limits))
    }

    private func refuse(_ call: LiveCall, _ error: APIError) { state.withLock { $0.refused = (call, error) } }
}
