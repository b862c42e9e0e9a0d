internal import LinuxKernel
public import SoulBoxModel

extension ExecutionEvent {
    /// The reply that tells of the event, and the descriptors that go beside it.
    public var reply: (message: JSONValue, descriptors: [CInt]) {
        var parameters = JSONObject()
        var descriptors: [CInt] = []
        switch self {
        case .queued(let position):
            parameters["event"] = "queued"
            parameters["position"] = JSONValue(position)
        case .started(let streams):
            parameters["event"] = "started"
            guard !streams.isEmpty else { break }
            parameters["streams"] = .array(streams.indices.map { JSONValue($0) })
            descriptors = streams.map(\.rawValue)
        case .compiled(let stage):
            parameters["event"] = "compiled"
            parameters["stage"] = stage.json
        case .artifacts(let artifacts):
            parameters["event"] = "artifacts"
            parameters["artifacts"] = .array(
                artifacts.map { artifact in
                    var entry = JSONObject([("path", .string(artifact.path)), ("size", .integer(artifact.size))])
                    if let descriptor = artifact.descriptor {
                        entry["descriptor"] = .integer(Int64(descriptors.count))
                        descriptors.append(descriptor.rawValue)
                    }
                    return .object(entry)
                })
        case .finished(let outcome):
            parameters["event"] = "finished"
            parameters["outcome"] = outcome.json
        case .failed(let error):
            return (["error": .string(error.varlinkName), "parameters": error.varlinkParameters], [])
        }
        var message = JSONObject([("parameters", .object(parameters))])
        if !isLast { message["continues"] = true }
        return (.object(message), descriptors)
    }

    /// Reads a reply and takes its descriptors from the connection.
    public init(reply: JSONValue, from connection: VarlinkConnection) throws(IsolationError) {
        if let name = reply["error"]?.stringValue {
            self = .failed(IsolationError(varlinkName: name, parameters: reply["parameters"]))
            return
        }
        let violation = IsolationError(.protocolViolation, "malformed event")
        guard let parameters = reply["parameters"], let event = parameters["event"]?.stringValue else {
            throw violation
        }
        switch event {
        case "queued": self = .queued(position: Int(parameters["position"]?.integerValue ?? 0))
        case "started":
            let count = parameters["streams"]?.arrayValue?.count ?? 0
            guard [0, 1, 2, 3].contains(count) else { throw violation }
            self = .started(streams: try connection.takeDescriptors(count))
        case "compiled":
            guard let stage = parameters["stage"].flatMap(StageOutcome.init(json:)) else { throw violation }
            self = .compiled(stage)
        case "artifacts":
            let entries = parameters["artifacts"]?.arrayValue ?? []
            let taken = try connection.takeDescriptors(entries.count { $0["descriptor"]?.integerValue != nil })
            var next = 0
            var artifacts: [ArtifactHandle] = []
            for entry in entries {
                guard let path = entry["path"]?.stringValue, let size = entry["size"]?.integerValue else {
                    throw violation
                }
                var descriptor: SharedDescriptor?
                if let index = entry["descriptor"]?.integerValue {
                    guard index == next else { throw violation }
                    descriptor = taken[next]
                    next += 1
                }
                artifacts.append(ArtifactHandle(path: path, size: size, descriptor: descriptor))
            }
            self = .artifacts(artifacts)
        case "finished":
            guard let outcome = parameters["outcome"].flatMap(ExecutionOutcome.init(json:)) else { throw violation }
            self = .finished(outcome)
        default: throw violation
        }
    }
}

extension Termination {
    var json: JSONValue {
        ["reason": .string(reason.rawValue), "signal": JSONValue(signal), "detail": JSONValue(detail)]
    }

    init?(json: JSONValue) {
        guard let reason = json["reason"]?.stringValue.flatMap(TerminationReason.init(rawValue:)) else { return nil }
        self.init(reason: reason, signal: json["signal"]?.stringValue, detail: json["detail"]?.stringValue)
    }
}

extension StageOutcome {
    var json: JSONValue {
        [
            "termination": termination.json, "exit_code": JSONValue(exitCode),
            "wall_time_us": JSONValue(wallTimeMicroseconds),
        ]
    }

    init?(json: JSONValue) {
        guard let termination = json["termination"].flatMap(Termination.init(json:)),
            let time = json["wall_time_us"]?.integerValue
        else { return nil }
        self.init(
            termination: termination, exitCode: (json["exit_code"]?.integerValue).map(Int.init),
            wallTimeMicroseconds: time)
    }
}

extension ExecutionOutcome {
    var json: JSONValue {
        [
            "termination": termination.json, "exit_code": JSONValue(exitCode),
            "wall_time_us": JSONValue(wallTimeMicroseconds), "cpu_time_us": JSONValue(cpuTimeMicroseconds),
            "memory_peak": JSONValue(memoryPeakBytes), "queue_time_us": JSONValue(queueTimeMicroseconds),
            "compile": compile?.json ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let termination = json["termination"].flatMap(Termination.init(json:)),
            let wall = json["wall_time_us"]?.integerValue, let cpu = json["cpu_time_us"]?.integerValue,
            let memory = json["memory_peak"]?.integerValue, let queue = json["queue_time_us"]?.integerValue
        else { return nil }
        self.init(
            termination: termination, exitCode: (json["exit_code"]?.integerValue).map(Int.init),
            wallTimeMicroseconds: wall, cpuTimeMicroseconds: cpu, memoryPeakBytes: memory, queueTimeMicroseconds: queue,
            compile: json["compile"].flatMap { $0.isNull ? nil : StageOutcome(json: $0) })
    }
}
