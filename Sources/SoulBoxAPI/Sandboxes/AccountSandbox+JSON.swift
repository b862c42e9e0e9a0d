internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

extension AccountSandbox {
    /// The sandbox as a list shows it.
    var summaryJSON: JSONValue {
        var object = JSONObject([
            ("sandbox_id", .string(identifier)), ("name", .string(name)), ("status", .string(status.rawValue)),
            ("runtime", .string(runtime.rawValue)), ("template", .string(template)),
            ("created_at", .string(createdAt.rfc3339)), ("last_activity", .string(lastActivity.rfc3339)),
        ])
        object["expires_at"] = JSONValue(expiresAt?.rfc3339)
        return .object(object)
    }

    /// What `POST /sandboxes` answers.
    var createdJSON: JSONValue {
        [
            "sandbox_id": .string(identifier), "name": .string(name), "status": .string(status.rawValue),
            "runtime": .string(runtime.rawValue), "template": .string(template),
            "created_at": .string(createdAt.rfc3339), "resources": .object(limitsJSON),
            "expires_at": JSONValue(expiresAt?.rfc3339),
        ]
    }

    private var limitsJSON: JSONObject {
        JSONObject([
            ("memory_limit", .string(ByteSize.text(memoryBytes))), ("memory_limit_bytes", .integer(memoryBytes)),
            ("cpu_limit", .number(Double(cpuMillicores) / 1000)), ("disk_limit", .string(ByteSize.text(diskBytes))),
            ("disk_limit_bytes", .integer(diskBytes)),
        ])
    }

    /// What it may reach, and what has gone over its link while it runs.
    private func networkJSON(_ traffic: SandboxTraffic?) -> JSONObject {
        var network = JSONObject([
            ("enabled", .bool(networkEnabled)), ("allowed_hosts", .array(allowedHosts.map(JSONValue.string))),
        ])
        network["sent_bytes"] = traffic.map { JSONValue($0.sentBytes) }
        network["received_bytes"] = traffic.map { JSONValue($0.receivedBytes) }
        network["refused_packets"] = traffic.map { JSONValue($0.refusedPackets) }
        return network
    }

    /// The sandbox with everything that is known of it.
    ///
    /// - Parameters:
    ///   - state: How it stands with the isolation service; nil when that is away, or does not have it yet.
    ///   - files: What stands in its workspace; nil when that cannot be told now.
    func detailsJSON(_ state: SandboxState?, files: [JSONValue]?) -> JSONValue {
        var resources = limitsJSON
        resources["memory_used"] = JSONValue(state.map { ByteSize.text($0.memoryUsed) })
        resources["memory_used_bytes"] = JSONValue(state?.memoryUsed)
        resources["cpu_used"] = JSONValue(state.map { Double($0.cpuMillicoresUsed) / 1000 })
        resources["disk_used"] = JSONValue(state.map { ByteSize.text($0.diskUsed) })
        resources["disk_used_bytes"] = JSONValue(state?.diskUsed)
        return .object(
            JSONObject([
                ("sandbox_id", .string(identifier)), ("name", .string(name)), ("status", .string(status.rawValue)),
                ("reason", JSONValue(reason)), ("runtime", .string(runtime.rawValue)),
                ("template", .string(template)),
                ("template_version", JSONValue(templateVersion.map(String.init))),
                ("created_at", .string(createdAt.rfc3339)),
                ("updated_at", .string(updatedAt.rfc3339)), ("started_at", JSONValue(startedAt?.rfc3339)),
                ("last_activity", .string(lastActivity.rfc3339)), ("resources", .object(resources)),
                ("network", .object(networkJSON(state?.traffic))),
                (
                    "environment",
                    .object(JSONObject(environment.map { ($0.name, .string($0.value)) }))
                ),
                ("ttl", JSONValue(ttlSeconds)), ("expires_at", JSONValue(expiresAt?.rfc3339)),
                ("idle_timeout", JSONValue(idleSeconds)), ("on_idle", .string(onIdle.rawValue)),
                ("restore", restore.map(\.json) ?? .null),
                ("executions_running", JSONValue(state?.executions)),
                ("processes_running", JSONValue(state?.processes)),
                ("files", files.map(JSONValue.array) ?? .null),
            ]))
    }
}

extension SandboxRestore {
    /// What a sandbox's details say of it.
    var json: JSONValue {
        [
            "snapshot_id": .string(snapshot), "status": .string(status.rawValue),
            "include_memory": .bool(includesMemory), "preserve_network": .bool(takesNetwork),
            "error": JSONValue(error), "requested_at": .string(requestedAt.rfc3339),
            "completed_at": JSONValue(finishedAt?.rfc3339),
        ]
    }
}

extension SandboxEvent {
    /// The event as a list shows it.
    var json: JSONValue {
        ["event": .string(event), "reason": JSONValue(reason), "at": .string(at.rfc3339)]
    }
}
