internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxModel
internal import SoulBoxStore

/// `/ws/monitor`: figures of the machine, as often as the client wants them.
final class MonitorConversation: Conversation {
    private let link: Link
    private let call: LiveCall
    private let services: Services
    private var metrics: [String] = []
    private var interval: Int64 = 5000
    private var task: Scheduled<Void>?
    private var isAsking = false
    private var isClosed = false
    /// The changes of alerts that the client knows of; nil before the first look, which tells of none.
    private var known: Set<[UInt8]>?

    init(_ link: Link, _ call: LiveCall, _ caller: Caller, _ services: Services) {
        self.link = link
        self.call = call
        self.services = services
    }

    var isBusy: Bool { false }

    func opened() {}

    func hasRoom() {}

    func closed() {
        isClosed = true
        task?.cancel()
    }

    func received(_ bytes: [UInt8]) {
        do throws(APIError) {
            guard let message = (try? JSONParser.parse(bytes))?.objectValue else {
                throw .malformed("message", "Is not a JSON object")
            }
            for field in message.names where !["type", "id", "metrics", "interval"].contains(field) {
                throw .malformed(String(field.prefix(100)), "Unknown field")
            }
            switch message["type"]?.stringValue {
            case "subscribe":
                let wanted = try names(message)
                if let value = message["interval"], !value.isNull {
                    guard let seconds = value.numberValue, (1...3600).contains(seconds) else {
                        throw .malformed("interval", "Must be from 1 to 3600 seconds")
                    }
                    interval = Int64(seconds * 1000)
                }
                metrics += wanted.filter { !metrics.contains($0) }
                task?.cancel()
                ask()
            case "unsubscribe":
                let gone = message["metrics"] == nil ? metrics : try names(message)
                metrics.removeAll { gone.contains($0) }
                if !metrics.contains(AlertFigures.name) { known = nil }
                if metrics.isEmpty { task?.cancel() }
            default: throw .malformed("type", "Must be one of: subscribe, unsubscribe")
            }
        } catch {
            link.send(LiveMessages.failure(error, requestID: call.requestID))
        }
    }

    private func names(_ message: JSONObject) throws(APIError) -> [String] {
        guard let values = message["metrics"]?.arrayValue, !values.isEmpty, values.count <= 100 else {
            throw .malformed("metrics", "Must be a list of names")
        }
        var names: [String] = []
        for (index, value) in values.enumerated() {
            guard let name = value.stringValue, SystemFigures.names.contains(name) else {
                let known = SystemFigures.names.sorted().joined(separator: ", ")
                throw .malformed("metrics[\(index)]", "Must be one of: \(known)")
            }
            names.append(name)
        }
        return names
    }

    private func ask() {
        guard !isAsking, !isClosed, !metrics.isEmpty else { return }
        isAsking = true
        let figures = services.figures
        let this = NIOLoopBound(self, eventLoop: link.loop)
        let wantsAlerts = metrics.contains(AlertFigures.name)
        services.call(on: link.loop) { () throws(APIError) in
            (figures.read(), wantsAlerts ? figures.alerts.read() : nil)
        }.whenComplete { outcome in
            this.value.isAsking = false
            guard case .success(.success((var values, let alerts))) = outcome else { return }
            if let alerts {
                values[AlertFigures.name] = Double(alerts.open)
                this.value.tell(alerts.changes)
            }
            this.value.tell(values)
        }
    }

    /// Tells what has happened since the last look. Who does not read misses it: the list of alerts has it.
    private func tell(_ changes: [AlertChange]) {
        guard !isClosed else { return }
        for change in changes where link.isWritable && known?.contains(change.id) == false { link.send(change.message) }
        known = Set(changes.map(\.id))
    }

    private func tell(_ values: [String: Double]) {
        guard !isClosed else { return }
        let now = JSONValue.string(Timestamp.now.rfc3339)
        // Who does not read misses figures, and gets the next ones when there is room.
        for metric in metrics where link.isWritable {
            guard let value = values[metric] else { continue }
            link.send([
                "type": "metric_update", "metric": .string(metric), "value": .number(value), "timestamp": now,
            ])
        }
        task?.cancel()
        let this = NIOLoopBound(self, eventLoop: link.loop)
        task = link.loop.scheduleTask(in: .milliseconds(interval)) { this.value.ask() }
    }
}
