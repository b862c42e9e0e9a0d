internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `GET /execute/{id}/events`: an execution as server-sent events (HTML Living Standard, section 9.2), with the messages of
/// `/ws/execute`. It holds nothing up.
final class EventStream: OutputStream {
    /// How often something is sent, so that whoever is between keeps the connection open.
    private static let heartbeat: TimeAmount = .seconds(15)

    private let reply: StreamReply
    private let services: Services
    private let id: String
    private let call: LiveCall
    private var follower: Follower?
    private var heartbeats: RepeatedTask?
    private var isClosed = false

    init(_ reply: StreamReply, _ services: Services, execution id: String, _ call: LiveCall) {
        self.reply = reply
        self.services = services
        self.id = id
        self.call = call
    }

    /// Lets the caller in and begins.
    func start() {
        let (services, call, id) = (services, call, id)
        let this = NIOLoopBound(self, eventLoop: reply.channel.eventLoop)
        services.call(on: reply.channel.eventLoop) { () throws(APIError) -> Caller in
            let caller = try services.api.admit(call, .execute)
            guard try services.api.find(id, account: caller.accountID) != nil else { throw .notFound("execution") }
            return caller
        }.whenSuccess { result in
            switch result {
            case .success(let caller): this.value.begin(caller)
            case .failure(let error): this.value.reply.fail(error)
            }
        }
    }

    func hasRoom() { follower?.pump() }

    func closed() {
        isClosed = true
        heartbeats?.cancel()
        follower?.leave()
    }

    private func begin(_ caller: Caller) {
        guard !isClosed else { return }
        guard services.seats.take(caller, call.credential, reply.channel) else {
            return reply.fail(.tooManyConnections)
        }
        reply.start("text/event-stream")
        let loop = reply.channel.eventLoop
        let this = NIOLoopBound(self, eventLoop: loop)
        heartbeats = loop.scheduleRepeatedTask(initialDelay: EventStream.heartbeat, delay: EventStream.heartbeat) { _ in
            if this.value.reply.hasRoom { this.value.reply.write(Array(":\n\n".utf8)) }
        }
        let reply = reply
        let follower = Follower(id, requestID: call.requestID, loop: loop, services: services) {
            reply.hasRoom
        } emit: { [weak self] _, message, isLast in
            self?.tell(message, isLast)
        }
        self.follower = follower
        let last = call.headers["last-event-id"].flatMap(Int64.init) ?? 0
        let from = max(0, min(last, .max - 1)) + 1
        follower.find(account: caller.accountID, from: from, holding: false)
    }

    private func tell(_ message: JSONObject, _ isLast: Bool) {
        var text = message["sequence"]?.integerValue.map { "id: \($0)\n" } ?? ""
        let type = message["type"]?.stringValue ?? "message"
        text += "event: \(type)\ndata: \(JSONValue.object(message).text)\n\n"
        reply.write(Array(text.utf8))
        if isLast { reply.end() }
    }
}
