internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/ws/execute`: executions in turn and at once, with input, signals, and coming back after a lost connection.
final class ExecuteConversation: Conversation {
    /// An execution that the client follows here.
    private struct Run {
        let follower: Follower
        /// What the client calls it.
        let name: JSONValue?
        /// Whether it is told what the reference's messages do not hold.
        let isTalkative: Bool
    }

    private static let longestName = 128

    private let link: Link
    private let call: LiveCall
    private let caller: Caller
    private let services: Services
    private var runs: [String: Run] = [:]
    private var isAsking = false
    /// What had been read already when the client was made to wait.
    private var backlog: [[UInt8]] = []
    private var isClosed = false

    init(_ link: Link, _ call: LiveCall, _ caller: Caller, _ services: Services) {
        self.link = link
        self.call = call
        self.caller = caller
        self.services = services
    }

    var isBusy: Bool { !runs.isEmpty || isAsking }

    func opened() {}

    func hasRoom() { for run in runs.values { run.follower.pump() } }

    func closed() {
        isClosed = true
        for run in runs.values { run.follower.leave() }
        runs = [:]
    }

    func received(_ bytes: [UInt8]) {
        guard !isAsking else { return backlog.append(bytes) }
        let message: JSONObject
        do {
            guard let object = try JSONParser.parse(bytes).objectValue else {
                throw JSONError(reason: "the message is not an object", offset: 0)
            }
            message = object
        } catch {
            return fail(.malformed("message", "\(error)"), nil)
        }
        let name = message["id"].flatMap { $0.isNull ? nil : $0 }
        do {
            try handle(message, name)
        } catch {
            fail(error, name)
        }
    }

    private func handle(_ message: JSONObject, _ name: JSONValue?) throws(APIError) {
        if let name {
            guard let text = name.stringValue ?? name.integerValue.map(String.init),
                text.utf8.count <= ExecuteConversation.longestName
            else { throw .malformed("id", "Must be a short string or an integer") }
        }
        switch message["type"]?.stringValue {
        case "execute": try execute(message, name)
        case "attach": try attach(message, name)
        case "stdin":
            let run = try run(message, ["data", "encoding"])
            guard run.controls.give(try InputMessage.bytes(message)) else {
                return fail(InputMessage.refusal, run.name)
            }
        case "close_stdin": try run(message, []).controls.closeInput()
        case "signal":
            let run = try run(message, ["signal"])
            let value = message["signal"]
            let number =
                value?.integerValue.flatMap(Int32.init(exactly:)) ?? value?.stringValue.flatMap(SignalName.number)
            guard let number, (1...64).contains(number) else {
                throw .malformed("signal", "Must be a signal's name as SIGTERM, or its number")
            }
            guard run.controls.order(.signal(number)) else {
                throw .limitExceeded("Too many signals at once", retryAfter: 1)
            }
        case "resize":
            let run = try run(message, ["rows", "columns"])
            let size = try TerminalMessage.size(message)
            guard run.controls.order(.resize(rows: size.rows, columns: size.columns)) else {
                throw .limitExceeded("Too many changes at once", retryAfter: 1)
            }
        case "cancel": try run(message, []).controls.cancel()
        default:
            throw .malformed(
                "type", "Must be one of: execute, attach, stdin, close_stdin, signal, resize, cancel")
        }
    }

    /// The running execution that a message means: by `execution_id`, by `id`, or the only one.
    private func run(
        _ message: JSONObject, _ fields: Set<String>
    ) throws(APIError) -> (controls: any Controls, name: JSONValue?) {
        for field in message.names where !fields.union(["type", "id", "execution_id"]).contains(field) {
            throw .malformed(String(field.prefix(100)), "Unknown field")
        }
        let found: Run?
        if let id = message["execution_id"]?.stringValue {
            found = runs[id]
        } else if let name = message["id"], !name.isNull {
            found = runs.values.first { $0.name == name }
        } else {
            guard runs.count <= 1 else { throw .malformed("execution_id", "Several executions run here") }
            found = runs.values.first
        }
        guard let found, let controls = found.follower.controls else { throw .notFound("execution") }
        return (controls, found.name)
    }

    private func execute(_ message: JSONObject, _ name: JSONValue?) throws(APIError) {
        guard runs.count < services.limits.executionsPerConnection else {
            throw .limitExceeded("This connection runs as many executions as it may", retryAfter: 5)
        }
        if let name, runs.values.contains(where: { $0.name == name }) {
            throw .malformed("id", "An execution of that name runs here")
        }
        var terminal: TerminalSize?
        switch message["pty"] {
        case nil, .null?, .bool(false)?: break
        case .bool(true)?: terminal = TerminalSize()
        case .object(let size)?: terminal = try TerminalMessage.size(size)
        default: throw .malformed("pty", "Must be true, false, or an object with rows and columns")
        }
        var fields = message
        for field in ["type", "id", "pty"] { fields[field] = nil }
        guard services.hub.reserve() else { throw .unavailable }
        var call = call
        call.requestID = LiveCall.newRequestID()
        let (services, body, request, size) = (services, fields, call, terminal)
        ask {
            () throws(APIError) -> Prepared in
            let begun = try services.api.begin(body, request)
            do {
                let live = try LiveExecution(
                    id: begun.id, account: begun.account, terminal: size, bounds: services.limits.live)
                return Prepared(begun: begun, live: live)
            } catch {
                services.api.abandon(begun)
                throw .unavailable
            }
        } then: { this, result in
            switch result {
            case .success(let prepared):
                this.services.hub.start(prepared.begun, prepared.live)
                this.add(prepared.live.id, name) { follower in
                    follower.follow(prepared.live, from: 1, holding: true)
                }
            case .failure(let error):
                this.services.hub.release()
                this.fail(error, name, requestID: request.requestID)
            }
        }
    }

    private struct Prepared: Sendable {
        let begun: LiveAPI.Begun
        let live: LiveExecution
    }

    private func attach(_ message: JSONObject, _ name: JSONValue?) throws(APIError) {
        for field in message.names where !["type", "id", "execution_id", "from_sequence"].contains(field) {
            throw .malformed(String(field.prefix(100)), "Unknown field")
        }
        guard let id = message["execution_id"]?.stringValue else {
            throw .malformed("execution_id", "Is required")
        }
        var from: Int64 = 1
        if let value = message["from_sequence"], !value.isNull {
            guard let number = value.integerValue, number >= 1 else {
                throw .malformed("from_sequence", "Must be an integer from 1 on")
            }
            from = number
        }
        guard runs[id] == nil else { throw .malformed("execution_id", "Is followed here already") }
        guard runs.count < services.limits.executionsPerConnection else {
            throw .limitExceeded("This connection follows as many executions as it may", retryAfter: 5)
        }
        guard Identifier.parse(id, .execution) != nil else { throw .notFound("execution") }
        // Counted and checked like a request, so that a key that was revoked meanwhile opens nothing.
        let (services, call) = (services, call)
        let first = from
        ask {
            () throws(APIError) -> Caller in
            try services.api.admit(call, .execute)
        } then: { this, result in
            switch result {
            case .failure(let error): this.fail(error, name)
            case .success(let caller):
                this.add(id, name) { $0.find(account: caller.accountID, from: first, holding: true) }
            }
        }
    }

    private func add(_ id: String, _ name: JSONValue?, _ begin: (Follower) -> Void) {
        let link = link
        let follower = Follower(id, requestID: call.requestID, loop: link.loop, services: services) {
            link.isWritable
        } emit: { [weak self] follower, message, isLast in
            self?.tell(message, isLast, of: follower)
        }
        runs[id] = Run(follower: follower, name: name, isTalkative: name != nil)
        begin(follower)
        // The client has gone while it was noted: it may come back for it.
        if isClosed { closed() }
    }

    private func tell(_ message: JSONObject, _ isLast: Bool, of follower: Follower) {
        guard let run = runs[follower.id] else { return }
        // Who uses the reference's messages alone gets those alone.
        if message["type"] == "started", !run.isTalkative { return }
        if isLast { runs[follower.id] = nil }
        var told = message
        told["id"] = run.name
        link.send(.object(told))
        if isLast, runs.isEmpty { link.channel.pipeline.fireUserInboundEventTriggered(IdleEvent()) }
    }

    /// Asks something that waits; nothing more is read from the client meanwhile.
    private func ask<Value: Sendable>(
        _ body: @escaping @Sendable () throws(APIError) -> Value,
        then: @escaping (ExecuteConversation, Result<Value, APIError>) -> Void
    ) {
        isAsking = true
        link.pause()
        let this = NIOLoopBound((self, then), eventLoop: link.loop)
        services.call(on: link.loop, body).whenComplete { outcome in
            let (conversation, then) = this.value
            conversation.isAsking = false
            conversation.link.resume()
            switch outcome {
            case .success(let result): then(conversation, result)
            case .failure: then(conversation, .failure(.unavailable))
            }
            while !conversation.isAsking, !conversation.backlog.isEmpty {
                conversation.received(conversation.backlog.removeFirst())
            }
        }
    }

    private func fail(_ error: APIError, _ name: JSONValue?, requestID: String? = nil) {
        link.send(LiveMessages.failure(error, echo: name, requestID: requestID ?? call.requestID))
    }
}
