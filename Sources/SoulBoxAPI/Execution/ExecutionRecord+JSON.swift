internal import SoulBoxModel

extension ExecutionRecord {
    /// The execution as `POST /execute` and `GET /execute/{id}` show it.
    ///
    /// - Parameter now: The moment for which `progress` is told.
    func json(now: Timestamp = .now) -> JSONValue {
        let output = EncodedOutput(stdout)
        let errors = EncodedOutput(stderr)
        let errorText: JSONValue = stderr.bytes.isEmpty ? .null : .string(errors.text)
        var members: [(String, JSONValue)] = []
        members.reserveCapacity(24)
        members += [
            ("execution_id", .string(id)),
            ("status", .string(status.rawValue)),
            ("output", .string(output.text)),
            ("error", errorText),
            ("exit_code", JSONValue(exitCode)),
            ("execution_time", ExecutionRecord.seconds(wallTimeMicroseconds)),
            ("memory_used", JSONValue(memoryPeakBytes)),
            // By bytes, so that the order does not depend on where the record comes from.
            (
                "files_created",
                .array(artifacts.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }.map(\.json))
            ),
            ("stdout", .string(output.text)),
            ("stderr", errorText),
            ("output_encoding", .string(output.encoding)),
            ("error_encoding", .string(errors.encoding)),
            ("truncated", ["stdout": .bool(stdout.isTruncated), "stderr": .bool(stderr.isTruncated)]),
        ]
        if let sandbox { members.append(("sandbox_id", .string(sandbox))) }
        if let context { members += [("context_id", .string(context)), ("results", .array(results ?? []))] }
        members += [
            ("compile", compile?.json ?? .null),
            ("termination", termination?.json ?? .null),
            ("error_code", JSONValue(errorCode?.rawValue)),
            ("cpu_time", ExecutionRecord.seconds(cpuTimeMicroseconds)),
            ("queue_time", ExecutionRecord.seconds(queueTimeMicroseconds)),
            ("created_at", .string(createdAt.rfc3339)),
            ("started_at", JSONValue(startedAt?.rfc3339)),
            ("completed_at", JSONValue(completedAt?.rfc3339)),
            ("progress", progress(now: now)),
        ]
        return .object(JSONObject(distinct: members))
    }

    /// The execution as a list shows it.
    func summaryJSON(now: Timestamp = .now) -> JSONValue {
        var object = JSONObject([
            ("execution_id", .string(id)), ("status", .string(status.rawValue)),
            ("language", .string(runtime.rawValue)), ("template", .string(template)),
            ("exit_code", JSONValue(exitCode)), ("execution_time", ExecutionRecord.seconds(wallTimeMicroseconds)),
            ("memory_used", JSONValue(memoryPeakBytes)), ("termination", termination?.json ?? .null),
            ("error_code", JSONValue(errorCode?.rawValue)), ("created_at", .string(createdAt.rfc3339)),
            ("started_at", JSONValue(startedAt?.rfc3339)), ("completed_at", JSONValue(completedAt?.rfc3339)),
            ("progress", progress(now: now)),
        ])
        if let sandbox { object["sandbox_id"] = .string(sandbox) }
        return .object(object)
    }

    /// What `POST /execute` answers for an asynchronous execution.
    var acceptedJSON: JSONValue {
        [
            "execution_id": .string(id), "status": .string(status.rawValue), "created_at": .string(createdAt.rfc3339),
            "started_at": JSONValue(startedAt?.rfc3339), "completed_at": JSONValue(completedAt?.rfc3339),
            "progress": progress(now: createdAt),
        ]
    }

    /// The code that tells programs what went wrong; nil when nothing did.
    var errorCode: ErrorCode? {
        guard let termination else { return nil }
        return switch termination.reason {
        case .exited: exitCode == 0 ? nil : .executionError
        case .timeout: .executionTimeout
        case .cancelled: nil
        case .lost: .systemError
        case .signal, .oom, .outputLimit, .processLimit, .diskLimit, .compileError: .executionError
        }
    }

    /// 0 while queued, the share of the timeout used while running, 1 when ended.
    private func progress(now: Timestamp) -> JSONValue {
        switch status {
        case .queued: return 0
        case .running:
            guard let startedAt, limits.timeoutMilliseconds > 0 else { return 0 }
            let used = Double(now.microseconds - startedAt.microseconds) / Double(limits.timeoutMilliseconds * 1000)
            // Below 1 also when compiling took longer than the program may: only an end is 1.
            return .number((min(max(used, 0), 0.99) * 1000).rounded() / 1000)
        case .completed, .failed, .timeout, .cancelled: return 1
        }
    }

    private static func seconds(_ microseconds: Int64?) -> JSONValue {
        JSONValue(microseconds.map { Double($0) / 1_000_000 })
    }
}

extension ExecutionRecord.ArtifactEntry {
    var json: JSONValue {
        var object = JSONObject([("name", .string(path)), ("size", .integer(size))])
        if !isStored { object["stored"] = false }
        return .object(object)
    }
}

extension ExecutionRecord.Compile {
    var json: JSONValue {
        let encoded = EncodedOutput(output)
        return [
            "exit_code": JSONValue(exitCode), "output": .string(encoded.text),
            "output_encoding": .string(encoded.encoding), "truncated": .bool(output.isTruncated),
            "time": .number(Double(timeMicroseconds) / 1_000_000),
        ]
    }
}

extension Termination {
    var json: JSONValue {
        ["reason": .string(reason.rawValue), "signal": JSONValue(signal), "detail": JSONValue(detail)]
    }
}
