public import SoulBoxExecution
public import SoulBoxModel

/// What is told of an execution while it runs: the messages of `/ws/execute` and of `GET /execute/{id}/events`.
public enum LiveMessages {
    /// A message about an execution.
    ///
    /// - Parameter echo: What the client calls it; nil when it has no name for it.
    public static func message(_ item: LiveItem, of id: String, echo: JSONValue?, requestID: String) -> JSONValue {
        switch item {
        case .started: message("started", id, echo, [])
        case .output(let piece): output(piece, of: id, echo: echo)
        case .dropped(let first, let last):
            message("dropped", id, echo, [("from_sequence", .integer(first)), ("to_sequence", .integer(last))])
        case .reset: message("reset", id, echo, [])
        case .displaced: message("detached", id, echo, [("reason", "attached by another connection")])
        case .ended(.finished(let record), let sequence):
            completion(of: record, sequence: sequence, echo: echo)
        case .ended(.failed(let error), _):
            failure(error, execution: id, echo: echo, requestID: requestID)
        }
    }

    /// A piece of output.
    public static func output(_ piece: OutputPiece, of id: String, echo: JSONValue?) -> JSONValue {
        let text = String(validating: piece.bytes, as: UTF8.self)
        var fields: [(String, JSONValue)] = [
            ("data", .string(text ?? Base64.encode(piece.bytes))), ("stream", .string(piece.stream.rawValue)),
            ("sequence", .integer(piece.sequence)),
        ]
        if text == nil { fields.append(("encoding", "base64")) }
        return message("output", id, echo, fields)
    }

    /// The last message of an execution: its result without its output.
    public static func completion(of record: ExecutionRecord, sequence: Int64, echo: JSONValue?) -> JSONValue {
        let leftOut: Set = [
            "output", "error", "stdout", "stderr", "output_encoding", "error_encoding", "execution_id", "progress",
        ]
        let fields = (record.json().objectValue ?? JSONObject()).members.filter { !leftOut.contains($0.name) }
        return message(
            "completion", record.id, echo,
            fields.map { ($0.name, $0.value) } + [("sequence", .integer(sequence))])
    }

    /// A failure in the envelope of the API.
    public static func failure(
        _ error: APIError, execution: String? = nil, echo: JSONValue? = nil, requestID: String
    ) -> JSONValue {
        var object = JSONObject([("type", "error")])
        object["id"] = echo
        object["execution_id"] = execution.map(JSONValue.string)
        object["error"] = error.envelope(requestID: requestID)["error"]
        return .object(object)
    }

    private static func message(
        _ type: String, _ id: String, _ echo: JSONValue?, _ fields: [(String, JSONValue)]
    ) -> JSONValue {
        var object = JSONObject([("type", .string(type)), ("execution_id", .string(id))])
        object["id"] = echo
        for (name, value) in fields { object[name] = value }
        return .object(object)
    }
}
