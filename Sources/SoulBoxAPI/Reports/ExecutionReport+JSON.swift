internal import SoulBoxModel
internal import SoulBoxStore

extension SlowExecution {
    /// The execution as a report shows it.
    var json: JSONValue {
        [
            "execution_id": .string(id), "language": .string(language), "status": .string(status),
            "reason": JSONValue(reason), "execution_time": .number(Double(wallMicroseconds) / 1_000_000),
            "key_id": JSONValue(key.map { Identifier.text(.key, uuid: $0) }),
            "sandbox_id": JSONValue(sandbox.map { Identifier.text(.sandbox, uuid: $0) }),
            "created_at": .string(createdAt.rfc3339), "completed_at": .string(completedAt.rfc3339),
            "kept": .bool(isKept),
        ]
    }
}

extension FailingGroup {
    /// The group as a report shows it.
    var json: JSONValue {
        let subject: [(String, JSONValue)] =
            switch dimension {
            case .language: [("language", JSONValue(language))]
            case .key:
                [("key_id", JSONValue(id.map { Identifier.text(.key, uuid: $0) })), ("key_name", JSONValue(name))]
            case .sandbox:
                [
                    ("sandbox_id", JSONValue(id.map { Identifier.text(.sandbox, uuid: $0) })),
                    ("sandbox_name", JSONValue(name)),
                ]
            }
        let failures = failed + timeout
        return .object(
            JSONObject(
                subject + [
                    ("executions", .integer(executions)), ("failures", .integer(failures)),
                    ("failed", .integer(failed)),
                    ("timeout", .integer(timeout)),
                    ("failure_rate", .number(executions > 0 ? Double(failures) / Double(executions) : 0)),
                ]))
    }
}
