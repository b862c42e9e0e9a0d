internal import LinuxKernel
internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/ws/sandboxes/{id}/terminal`: an interactive shell. It ends with its connection.
final class TerminalConversation: Conversation {
    private let link: Link
    private let sandbox: String
    private let call: LiveCall
    private let services: Services
    private var follower: Follower?
    private var backlog: [[UInt8]] = []
    private var isClosed = false

    init(_ link: Link, sandbox: String, _ call: LiveCall, _ caller: Caller, _ services: Services) {
        self.link = link
        self.sandbox = sandbox
        self.call = call
        self.services = services
    }

    var isBusy: Bool { follower != nil }

    func opened() {
        link.pause()
        let (services, sandbox, call) = (services, sandbox, call)
        let this = NIOLoopBound(self, eventLoop: link.loop)
        guard services.hub.reserve() else { return refuse(.unavailable) }
        services.call(on: link.loop) { () throws(APIError) -> (LiveAPI.Shell, LiveExecution) in
            let shell = try services.api.beginShell(in: sandbox, call)
            // Nobody can come back to it: it does not outlive its connection.
            var bounds = services.limits.live
            bounds.graceMilliseconds = 0
            do {
                return (
                    shell,
                    try LiveExecution(
                        id: shell.id, account: shell.account, terminal: TerminalSize(), bounds: bounds)
                )
            } catch {
                throw .unavailable
            }
        }.whenSuccess { result in
            switch result {
            case .success(let (shell, live)): this.value.begin(shell, live)
            case .failure(let error):
                services.hub.release()
                this.value.refuse(error)
            }
        }
    }

    private func begin(_ shell: LiveAPI.Shell, _ live: LiveExecution) {
        services.hub.start(shell, live)
        let link = link
        let follower = Follower(live.id, requestID: call.requestID, loop: link.loop, services: services) {
            link.isWritable
        } emit: { [weak self] _, message, isLast in
            self?.tell(message, isLast)
        }
        self.follower = follower
        follower.follow(live, from: 1, holding: true)
        if isClosed { return closed() }
        link.resume()
        let waiting = backlog
        backlog = []
        for bytes in waiting { received(bytes) }
    }

    private func tell(_ message: JSONObject, _ isLast: Bool) {
        link.send(.object(message))
        guard isLast else { return }
        follower = nil
        link.close(1000, "the shell has ended")
    }

    private func refuse(_ error: APIError) {
        link.resume()
        link.send(LiveMessages.failure(error, requestID: call.requestID))
        link.close(error.status >= 500 ? 1013 : 1008, error.message)
    }

    func received(_ bytes: [UInt8]) {
        guard let live = follower?.controls else { return backlog.append(bytes) }
        do throws(APIError) {
            guard let message = (try? JSONParser.parse(bytes))?.objectValue else {
                throw .malformed("message", "Is not a JSON object")
            }
            for field in message.names
            where !["type", "id", "data", "encoding", "rows", "columns"].contains(field) {
                throw .malformed(String(field.prefix(100)), "Unknown field")
            }
            switch message["type"]?.stringValue {
            case "stdin":
                guard live.give(try InputMessage.bytes(message)) else { throw InputMessage.refusal }
            case "resize":
                let size = try TerminalMessage.size(message)
                guard live.order(.resize(rows: size.rows, columns: size.columns)) else {
                    throw .limitExceeded("Too many changes at once", retryAfter: 1)
                }
            default: throw .malformed("type", "Must be one of: stdin, resize")
            }
        } catch {
            link.send(LiveMessages.failure(error, requestID: call.requestID))
        }
    }

    func hasRoom() { follower?.pump() }

    func closed() {
        isClosed = true
        follower?.leave()
        follower = nil
    }
}
