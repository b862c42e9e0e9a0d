internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The body of `POST /sandboxes` and `PUT /sandboxes/{id}`, checked as far as it can be without knowing the templates.
struct SandboxRequest: Equatable {
    var name: String?
    var runtime: Runtime?
    var template: String?
    var memoryBytes: Int64?
    var cpuMillicores: Int?
    var diskBytes: Int64?
    var networkEnabled: Bool?
    var allowedHosts: [String]?
    /// Variables to set; nil removes one.
    var environment: [(name: String, value: String?)] = []
    /// Seconds; nil inside means for ever.
    var ttl: Int??
    var idle: Int??
    var onIdle: IdleAction?

    static func == (left: SandboxRequest, right: SandboxRequest) -> Bool {
        left.name == right.name && left.runtime == right.runtime && left.template == right.template
            && left.memoryBytes == right.memoryBytes && left.cpuMillicores == right.cpuMillicores
            && left.diskBytes == right.diskBytes && left.networkEnabled == right.networkEnabled
            && left.allowedHosts == right.allowedHosts && left.ttl == right.ttl && left.idle == right.idle
            && left.onIdle == right.onIdle && left.environment.elementsEqual(right.environment, by: ==)
    }

    private static let common: Set<String> = [
        "name", "resources", "network", "environment", "ttl", "idle_timeout", "on_idle",
    ]

    /// Reads a body; what is wrong is noted.
    ///
    /// - Parameter isNew: Whether the sandbox is to be made: only then has it a runtime and a template.
    init(_ object: JSONObject, isNew: Bool, within bounds: SandboxBounds, _ validation: inout Validation) {
        let reader = FieldReader(object)
        reader.refuseUnknown(
            except: isNew ? SandboxRequest.common.union(["runtime", "template"]) : SandboxRequest.common, &validation)
        name = reader.name("name", &validation)
        if isNew { readTemplate(reader, &validation) }
        readResources(reader, bounds, &validation)
        readNetwork(reader, bounds, &validation)
        environment = reader.variables(
            "environment", atMost: bounds.variables, of: bounds.variableBytes, nullRemoves: !isNew, &validation)
        ttl = SandboxRequest.seconds(object, "ttl", reader, bounds.ttl, &validation)
        idle = SandboxRequest.seconds(object, "idle_timeout", reader, bounds.idle, &validation)
        onIdle = reader.choice("on_idle", &validation)
    }

    private mutating func readTemplate(_ reader: FieldReader, _ validation: inout Validation) {
        if let alias = reader.string("runtime", &validation) {
            runtime = Runtime(alias: alias)
            if runtime == nil { validation.fail("runtime", "Unsupported language: \(alias.prefix(100))") }
        }
        template = reader.plainString("template", &validation)
        if reader.value("runtime") == nil, reader.value("template") == nil {
            validation.fail("runtime", "Is required without a template")
        }
    }

    private mutating func readResources(
        _ reader: FieldReader, _ bounds: SandboxBounds, _ validation: inout Validation
    ) {
        guard let object = reader.object("resources", &validation) else { return }
        let inner = FieldReader(object, prefix: "resources.")
        inner.refuseUnknown(except: ["memory_limit", "cpu_limit", "disk_limit"], &validation)
        memoryBytes = inner.size("memory_limit", bounds.memory, &validation)
        cpuMillicores = inner.cores("cpu_limit", bounds.cpu, &validation)
        // Whole blocks, rounded up to what was asked for and not below it.
        diskBytes = inner.size("disk_limit", bounds.disk, &validation).map { ($0 + 4095) / 4096 * 4096 }
    }

    private mutating func readNetwork(
        _ reader: FieldReader, _ bounds: SandboxBounds, _ validation: inout Validation
    ) {
        guard let object = reader.object("network", &validation) else { return }
        let inner = FieldReader(object, prefix: "network.")
        inner.refuseUnknown(except: ["enabled", "allowed_hosts"], &validation)
        networkEnabled = inner.bool("enabled", &validation)
        guard let values = inner.array("allowed_hosts", &validation) else { return }
        guard values.count <= bounds.hosts else {
            validation.fail("network.allowed_hosts", "Must have at most \(bounds.hosts) elements")
            return
        }
        allowedHosts = values.enumerated().compactMap { index, value in
            let field = "network.allowed_hosts[\(index)]"
            guard let text = value.stringValue else {
                validation.fail(field, "Must be a string")
                return nil
            }
            guard let host = AllowedHost(text) else {
                validation.fail(
                    field, "Must be a name, *.name, an address or a network as 192.0.2.0/24, each perhaps with :port")
                return nil
            }
            if case .network(let range) = host.target {
                if range.isVersion6 {
                    validation.fail(field, "Sandboxes have no IPv6")
                    return nil
                }
                if range.isNeverReachable {
                    validation.fail(field, "Private, link-local and reserved addresses are never reached")
                    return nil
                }
            }
            return host.description
        }
    }

    /// A number of seconds; null, given as such, means for ever.
    private static func seconds(
        _ object: JSONObject, _ name: String, _ reader: FieldReader, _ range: ClosedRange<Int64>,
        _ validation: inout Validation
    ) -> Int?? {
        guard let value = object[name] else { return nil }
        if value.isNull { return .some(nil) }
        return reader.bounded(name, range, &validation).map { .some(Int($0)) } ?? nil
    }

    /// The sandbox with these changes.
    func apply(to sandbox: AccountSandbox) -> AccountSandbox {
        var changed = sandbox
        changed.name = name ?? sandbox.name
        changed.memoryBytes = memoryBytes ?? sandbox.memoryBytes
        changed.cpuMillicores = cpuMillicores ?? sandbox.cpuMillicores
        changed.diskBytes = diskBytes ?? sandbox.diskBytes
        changed.networkEnabled = networkEnabled ?? sandbox.networkEnabled
        changed.allowedHosts = allowedHosts ?? sandbox.allowedHosts
        for (name, value) in environment {
            changed.environment.removeAll { $0.name == name }
            if let value { changed.environment.append(.init(name: name, value: value)) }
        }
        changed.ttlSeconds = ttl ?? sandbox.ttlSeconds
        changed.idleSeconds = idle ?? sandbox.idleSeconds
        changed.onIdle = onIdle ?? sandbox.onIdle
        return changed
    }
}
