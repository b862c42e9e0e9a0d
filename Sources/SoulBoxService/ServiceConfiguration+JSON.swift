internal import LinuxKernel
public import SoulBoxModel

extension ServiceConfiguration {
    /// The configuration as the run directory holds it.
    public var json: JSONValue {
        func pool(_ pool: Pool) -> JSONValue {
            [
                "processes": JSONValue(pool.processes), "threads": JSONValue(pool.threads),
                "database_connections": JSONValue(pool.databaseConnections),
            ]
        }
        return [
            "instance": .string(instance), "version": .string(version), "run_directory": .string(runDirectory),
            "image_directory": .string(imageDirectory), "binary_directory": .string(binaryDirectory),
            "database_url": .string(databaseURL), "isolator_socket": .string(isolatorSocket),
            "service_user": .integer(Int64(serviceUser)), "service_group": .integer(Int64(serviceGroup)),
            "executions": [
                "concurrent": JSONValue(executions.concurrent),
                "queue_wait_seconds": JSONValue(executions.queueWaitSeconds),
                "retention_days": JSONValue(executions.retentionDays),
                "artifact_each_bytes": JSONValue(executions.artifactEachBytes),
                "artifact_total_bytes": JSONValue(executions.artifactTotalBytes),
                "output_limit_bytes": JSONValue(executions.outputLimitBytes),
            ],
            "ready_pool": [
                "enabled": .bool(readyPool.isEnabled), "minimum": JSONValue(readyPool.minimum),
                "memory_bytes": .integer(readyPool.memoryBytes),
            ],
            "tokens": [
                "directory": .string(tokens.directory), "issuer": .string(tokens.issuer),
                "audience": .string(tokens.audience), "key_file": .string(tokens.keyFile),
            ],
            "network": [
                "enabled": .bool(network.isEnabled), "egress_user": .integer(Int64(network.egressUser)),
                "resolvers": .array(network.resolvers.map(JSONValue.string)),
                "connections": JSONValue(network.connections),
                "new_connections_per_second": JSONValue(network.newConnectionsPerSecond),
                "bytes_per_second": JSONValue(network.bytesPerSecond),
            ],
            "document_path": .string(documentPath), "sandbox_directory": .string(sandboxDirectory),
            "upload_limit_bytes": .integer(uploadLimitBytes), "pip_index": .string(pipIndex),
            "gateway": gateway.json, "snapshots": snapshots.json, "alerts": alerts.json, "reports": reports.json,
            "control_pool": pool(controlPool), "execution_pool": pool(executionPool),
        ]
    }

    /// Reads what `json` wrote.
    public init(json: JSONValue) throws(Malformed) {
        func text(_ key: String) throws(Malformed) -> String {
            guard let value = json[key]?.stringValue else { throw Malformed(key: key) }
            return value
        }
        func number(_ section: String?, _ key: String) throws(Malformed) -> Int64 {
            let holder = section.map { json[$0] ?? .null } ?? json
            guard let value = holder[key]?.integerValue, value >= 0 else {
                throw Malformed(key: [section, key].compactMap { $0 }.joined(separator: "."))
            }
            return value
        }
        func pool(_ section: String) throws(Malformed) -> Pool {
            Pool(
                processes: Int(try number(section, "processes")), threads: Int(try number(section, "threads")),
                databaseConnections: Int(try number(section, "database_connections")))
        }
        self.init(
            instance: try text("instance"), version: try text("version"), runDirectory: try text("run_directory"),
            imageDirectory: try text("image_directory"), binaryDirectory: try text("binary_directory"),
            databaseURL: try text("database_url"), isolatorSocket: try text("isolator_socket"),
            serviceUser: UInt32(truncatingIfNeeded: try number(nil, "service_user")),
            serviceGroup: UInt32(truncatingIfNeeded: try number(nil, "service_group")), cores: 1)
        executions.concurrent = Int(try number("executions", "concurrent"))
        executions.queueWaitSeconds = Int(try number("executions", "queue_wait_seconds"))
        executions.retentionDays = Int(try number("executions", "retention_days"))
        executions.artifactEachBytes = try number("executions", "artifact_each_bytes")
        executions.artifactTotalBytes = try number("executions", "artifact_total_bytes")
        executions.outputLimitBytes = Int(try number("executions", "output_limit_bytes"))
        guard let isReady = json["ready_pool"]?["enabled"]?.boolValue else {
            throw Malformed(key: "ready_pool.enabled")
        }
        readyPool.isEnabled = isReady
        readyPool.minimum = Int(try number("ready_pool", "minimum"))
        readyPool.memoryBytes = try number("ready_pool", "memory_bytes")
        func token(_ key: String) throws(Malformed) -> String {
            guard let value = json["tokens"]?[key]?.stringValue else { throw Malformed(key: "tokens.\(key)") }
            return value
        }
        tokens = Tokens(directory: try token("directory"))
        tokens.issuer = try token("issuer")
        tokens.audience = try token("audience")
        tokens.keyFile = try token("key_file")
        guard let isEnabled = json["network"]?["enabled"]?.boolValue else { throw Malformed(key: "network.enabled") }
        network.isEnabled = isEnabled
        network.egressUser = UInt32(truncatingIfNeeded: try number("network", "egress_user"))
        network.resolvers = json["network"]?["resolvers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        network.connections = Int(try number("network", "connections"))
        network.newConnectionsPerSecond = Int(try number("network", "new_connections_per_second"))
        network.bytesPerSecond = Int(try number("network", "bytes_per_second"))
        documentPath = try text("document_path")
        sandboxDirectory = try text("sandbox_directory")
        uploadLimitBytes = try number(nil, "upload_limit_bytes")
        pipIndex = json["pip_index"]?.stringValue ?? ""
        alerts = try Alerts(json: json["alerts"] ?? .null)
        gateway = try Gateway(json: json["gateway"] ?? .null)
        snapshots = try Snapshots(json: json["snapshots"] ?? .null)
        reports = try Reports(json: json["reports"] ?? .null)
        controlPool = try pool("control_pool")
        executionPool = try pool("execution_pool")
    }

    /// Reads the file that a process is given.
    public init(path: String) throws {
        try self.init(json: try JSONParser.parse(try Files.read(path)))
    }
}
