internal import LinuxKernel
internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxExecution
internal import SoulBoxModel

/// Follows one execution for a client: from the one that runs in this process, or else from what is noted of it, once it has
/// ended. For the client's event loop.
final class Follower {
    /// How soon the database is asked again about an execution of another process: each time later, up to the second one.
    private static let firstPatience: TimeAmount = .milliseconds(100)
    private static let lastPatience: TimeAmount = .seconds(2)

    let id: String
    private let requestID: String
    private let loop: any EventLoop
    private let services: Services
    private let hasRoom: () -> Bool
    private let emit: (Follower, JSONObject, _ isLast: Bool) -> Void
    /// What the client's orders go to; nil where there is nothing to order.
    private(set) var controls: (any Controls)?
    private var live: LiveExecution?
    private var peer: PeerConnection?
    private var account: [UInt8] = []
    private var nextSequence: Int64 = 1
    private var watcher = 0
    private var noted: [LiveItem] = []
    private(set) var isOver = false
    private var patience = Follower.firstPatience

    init(
        _ id: String, requestID: String, loop: any EventLoop, services: Services, hasRoom: @escaping () -> Bool,
        emit: @escaping (Follower, JSONObject, _ isLast: Bool) -> Void
    ) {
        self.id = id
        self.requestID = requestID
        self.loop = loop
        self.services = services
        self.hasRoom = hasRoom
        self.emit = emit
    }

    /// Follows an execution wherever it is: in this process, in another gateway, or in the database alone.
    func find(account: [UInt8], from sequence: Int64, holding: Bool) {
        self.account = account
        nextSequence = sequence
        if let live = services.hub.find(id, account: account) {
            return follow(live, from: sequence, holding: holding)
        }
        let request = PeerRequest(
            execution: id, account: account, from: sequence, holding: holding, requestID: requestID)
        let this = NIOLoopBound(self, eventLoop: loop)
        PeerConnection.find(request, services: services, loop: loop).whenComplete { outcome in
            let follower = this.value
            guard case .success(let found?) = outcome, !follower.isOver else {
                if case .success(let found?) = outcome { found.close() }
                return follower.awaitEnd(account: account, from: sequence)
            }
            follower.peer = found
            follower.controls = found
            found.begin(
                receive: { this.value.relay($0) },
                ended: { this.value.lostPeer() })
            if !follower.hasRoom() { found.pause() }
        }
    }

    /// A message of the process that carries the execution out.
    private func relay(_ message: JSONObject) {
        guard !isOver else { return }
        if let sequence = message["sequence"]?.integerValue { nextSequence = sequence + 1 }
        let type = message["type"]?.stringValue
        // An error that names no execution is about an order, and the execution goes on.
        let isLast =
            type == "completion" || type == "detached" || (type == "error" && message["execution_id"] != nil)
        if isLast { isOver = true }
        emit(self, message, isLast)
        if !hasRoom() { peer?.pause() }
    }

    /// That process has ended before the execution: what becomes of it will be noted.
    private func lostPeer() {
        peer = nil
        controls = nil
        if !isOver { awaitEnd(account: account, from: nextSequence) }
    }

    /// Follows an execution of this process.
    func follow(_ live: LiveExecution, from sequence: Int64, holding: Bool) {
        self.live = live
        controls = live
        let this = NIOLoopBound(self, eventLoop: loop)
        watcher = live.watch(from: sequence, holding: holding) { [loop] in
            loop.execute { this.value.pump() }
        }
        pump()
    }

    /// Follows an execution of another process: its end is awaited, and then its stored output is told.
    func awaitEnd(account: [UInt8], from sequence: Int64) {
        guard !isOver else { return }
        let (api, id) = (services.api, id)
        let this = NIOLoopBound(self, eventLoop: loop)
        services.call(on: loop) { () throws(APIError) in try api.find(id, account: account) }.whenSuccess { result in
            this.value.take(result, account: account, from: sequence)
        }
    }

    private func take(_ result: Result<ExecutionRecord?, APIError>, account: [UInt8], from sequence: Int64) {
        switch result {
        case .success(let record?) where record.status.isFinal:
            noted = Follower.items(of: record, from: sequence)
            pump()
        case .success(nil):
            noted = [.ended(.failed(.notFound("execution")), sequence: 0)]
            pump()
        case .success, .failure:
            // Without the database nobody knows more: it is asked again for as long as the client waits.
            let this = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(in: patience) { this.value.awaitEnd(account: account, from: sequence) }
            patience = min(patience + patience, Follower.lastPatience)
        }
    }

    /// Tells what there is, as long as there is room.
    func pump() {
        peer?.resume()
        while !isOver, hasRoom() {
            let item: LiveItem
            if let live {
                guard let next = live.next(for: watcher) else { return }
                item = next
            } else {
                guard !noted.isEmpty else { return }
                item = noted.removeFirst()
            }
            if item.isLast { isOver = true }
            let message = LiveMessages.message(item, of: id, echo: nil, requestID: requestID)
            emit(self, message.objectValue ?? JSONObject(), item.isLast)
        }
    }

    /// Follows no more.
    func leave() {
        isOver = true
        live?.leave(watcher)
        peer?.close()
    }

    /// What is stored of an execution, as if it were printed now. Its pieces are not those of the live output: a client that
    /// had some is told to begin anew.
    private static func items(of record: ExecutionRecord, from sequence: Int64) -> [LiveItem] {
        var items: [LiveItem] = sequence > 1 ? [.reset] : []
        var number: Int64 = 1
        for (stream, output) in [(OutputPiece.Stream.stdout, record.stdout), (.stderr, record.stderr)] {
            var left = output.bytes[...]
            while !left.isEmpty {
                var piece = left.prefix(32 << 10)
                let tail = IncompleteCharacter.count(atEndOf: piece)
                if tail < piece.count { piece = piece.dropLast(tail) }
                items.append(.output(OutputPiece(sequence: number, stream: stream, bytes: Array(piece))))
                left = left.dropFirst(piece.count)
                number += 1
            }
        }
        return items + [.ended(.finished(record), sequence: number)]
    }
}
